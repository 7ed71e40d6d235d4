#include "fleet/pgo/export/discriminator.h"

namespace wallprof::pgo {
namespace {

constexpr uint32_t kIsZero = 1;        // the whole of a component that is 0
constexpr uint32_t kIsLong = 1u << 6;  // seven bits more
constexpr int kLowBits = 5;
constexpr int kHighBits = 7;
constexpr int kShortLength = 1 + kLowBits + 1;

uint32_t LowBits(uint32_t value, int count) {
  return value & ((1u << count) - 1);
}

// The component that `bits` begin with.
uint32_t First(uint32_t bits) {
  if (bits & kIsZero) return 0;
  const uint32_t low = LowBits(bits >> 1, kLowBits);
  if (!(bits & kIsLong)) return low;
  return LowBits(bits >> kShortLength, kHighBits) << kLowBits | low;
}

// What follows it.
uint32_t AfterFirst(uint32_t bits) {
  if (bits & kIsZero) return bits >> 1;
  return bits >> (bits & kIsLong ? kShortLength + kHighBits : kShortLength);
}

}  // namespace

uint32_t BaseDiscriminator(uint32_t discriminator) {
  return First(discriminator);
}

uint32_t DuplicationFactor(uint32_t discriminator) {
  const uint32_t factor = First(AfterFirst(discriminator));
  return factor == 0 ? 1 : factor;
}

}  // namespace wallprof::pgo
