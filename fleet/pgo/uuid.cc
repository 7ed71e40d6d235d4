#include "fleet/pgo/uuid.h"

#include <cstdint>
#include <random>

#include "absl/strings/str_format.h"

namespace wallprof::pgo {

std::string NewUuid() {
  static thread_local std::mt19937_64 random{[] {
    std::random_device device;
    return (uint64_t{device()} << 32) | device();
  }()};
  constexpr uint64_t kVersionMask = 0xf000, kVersion = 0x4000;
  constexpr uint64_t kVariantMask = 0xc000000000000000,
                     kVariant = 0x8000000000000000;
  const uint64_t high = (random() & ~kVersionMask) | kVersion;
  const uint64_t low = (random() & ~kVariantMask) | kVariant;
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32,
                         (high >> 16) & 0xffff, high & 0xffff, low >> 48,
                         low & 0xffffffffffff);
}

}  // namespace wallprof::pgo
