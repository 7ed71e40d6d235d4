/* Tells whether floating-point, vector and mask registers, and the control
 * words of both units, hold what they held before a computation in which no
 * instruction touches them; on two threads. */
#include <cpuid.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What XSAVE stores: x87, SSE, AVX and AVX-512. Not AMX, which a program must
 * ask the kernel for. */
enum { kComponents = 0xe7, kLastComponent = 7, kAreaBytes = 8192 };

/* Intel SDM, volume 1, 13.4: layout of the XSAVE area. */
enum {
  kX87Control = 0,
  kMxcsr = 24,
  kX87 = 32,
  kX87Bytes = 10, /* of every 16 */
  kSse = 160,
  kSseBytes = 256,
  kHeader = 512,
};

typedef struct {
  _Alignas(64) uint8_t bytes[kAreaBytes];
} Area;

typedef struct {
  size_t at, bytes;
} Part;

/* The parts that are registers as a whole. */
static Part parts[8 + 1 + kLastComponent];
static int part_count;
static uint32_t mask;

static void AddPart(size_t at, size_t bytes) {
  parts[part_count++] = (Part){at, bytes};
}

static int FindParts(void) {
  uint32_t a, b, c, d, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_OSXSAVE) == 0) return -1;
  __asm__("xgetbv" : "=a"(mask), "=d"(high) : "c"(0));
  mask &= kComponents;
  for (size_t i = 0; i < 8; ++i) AddPart(kX87 + 16 * i, kX87Bytes);
  AddPart(kSse, kSseBytes);
  for (uint32_t i = 2; i <= kLastComponent; ++i) {
    if ((mask >> i & 1) == 0) continue;
    __get_cpuid_count(0xd, i, &a, &b, &c, &d);
    AddPart(b, a);
  }
  return 0;
}

static void Fill(Area* area, unsigned seed) {
  /* Rounding to zero in x87; up, with denormals as zero, in SSE. */
  static const uint16_t kControl = 0x0f7f;
  static const uint32_t kSseControl = 0xdfc0;
  const uint64_t present = mask;
  memset(area, 0, sizeof(*area));
  memcpy(area->bytes + kX87Control, &kControl, sizeof(kControl));
  memcpy(area->bytes + kMxcsr, &kSseControl, sizeof(kSseControl));
  memcpy(area->bytes + kHeader, &present, sizeof(present));
  area->bytes[4] = 0xff; /* all x87 registers are in use */
  for (int i = 0; i < part_count; ++i) {
    for (size_t j = 0; j < parts[i].bytes; ++j) {
      seed = seed * 1103515245 + 12345;
      area->bytes[parts[i].at + j] = (uint8_t)(seed >> 16);
    }
  }
}

/* The registers as `before` says, a loop, and what they are then. */
__attribute__((noinline)) static void Hold(const Area* before, Area* after) {
  static __thread Area callers;
  uint64_t rounds = 100000000;
  memset(&callers, 0, sizeof(callers));
  __asm__ volatile(
      "xsave64 %[callers]\n\t"
      "xrstor64 %[before]\n"
      "1:\n\t"
      "dec %[rounds]\n\t"
      "jnz 1b\n\t"
      "xsave64 %[after]\n\t"
      "xrstor64 %[callers]"
      : [callers] "+m"(callers), [after] "+m"(*after), [rounds] "+r"(rounds)
      : [before] "m"(*before), "a"(mask), "d"(0)
      : "cc");
}

static void* HoldOften(void* seed) {
  enum { kTimes = 5 };
  static __thread Area before, after;
  for (int i = 0; i < kTimes; ++i) {
    Fill(&before, (unsigned)(uintptr_t)seed + (unsigned)i);
    memset(&after, 0, sizeof(after));
    Hold(&before, &after);
    if (memcmp(before.bytes + kX87Control, after.bytes + kX87Control, 2) != 0 ||
        memcmp(before.bytes + kMxcsr, after.bytes + kMxcsr, 4) != 0) {
      puts("control words changed");
    }
    for (int j = 0; j < part_count; ++j) {
      if (memcmp(before.bytes + parts[j].at, after.bytes + parts[j].at,
                 parts[j].bytes) != 0) {
        printf("changed at %zu\n", parts[j].at);
      }
    }
  }
  return NULL;
}

int main(void) {
  pthread_t other;
  if (FindParts() != 0) {
    puts("no XSAVE");
    return 0;
  }
  pthread_create(&other, NULL, HoldOften, (void*)1);
  HoldOften((void*)100);
  pthread_join(other, NULL);
  puts("held");
  return 0;
}
