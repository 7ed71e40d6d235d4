// A library that replaces another at the same address: GENERATION names its
// functions, and GENERATION_BYTES sets their frames apart.
#include <unistd.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

extern "C" {

// Both blocks until there is a byte to read from `fd`.
__attribute__((noinline)) int JOIN(GENERATION, _inner)(int fd) {
  volatile char bytes[GENERATION_BYTES];
  bytes[0] = 0;
  const long n = read(fd, const_cast<char*>(bytes), 1);
  return static_cast<int>(n) + bytes[0];
}

__attribute__((noinline)) int JOIN(GENERATION, _outer)(int fd) {
  volatile char bytes[GENERATION_BYTES / 2];
  bytes[0] = 1;
  return JOIN(GENERATION, _inner)(fd) + bytes[0];
}

// The same name in all of them, so that it can be found.
int (*generation_entry)(int) = JOIN(GENERATION, _outer);
}
