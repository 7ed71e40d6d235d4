// Leaves the keys of thread-specific data that the program uses to the program.
//
// A key is an index into an array that each thread has, and the program's libc
// and the engine's count from zero, each for itself. Yet the loader takes
// memory for threads of the engine from the program's malloc, and some
// allocators keep such data (jemalloc does): when the thread ends, the engine's
// libc would hand it to whatever destructor has the same key here, OpenSSL's
// for one. So the engine never uses the first keys: they have no destructors.
#include <pthread.h>

namespace wallprof {
namespace {

// An allocator makes its key with the first allocation, before the program
// does. Looking for a free key takes the longer the more there are.
constexpr int kReservedKeys = 64;

__attribute__((constructor)) void ReserveKeys() {
  pthread_key_t key;
  for (int i = 0; i < kReservedKeys; ++i) {
    if (pthread_key_create(&key, nullptr) != 0) return;
  }
}

}  // namespace
}  // namespace wallprof
