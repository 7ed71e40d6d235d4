#include "fleet/store/profile_info.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace wallprof::store {
namespace {

// Base 32 with digits first: the order of the text is that of the bytes.
constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuv";
constexpr int kBitsPerDigit = 5;

// Seconds in 40 bits last for 34 000 years; with 88 bits of the origin, two
// profiles of one second meet once in 10^26.
constexpr size_t kTimeBytes = 5;
constexpr size_t kIdBytes = 16;
constexpr size_t kIdDigits = 26;

int64_t SecondsOf(absl::Time time) {
  constexpr int64_t kMaxSeconds = (int64_t{1} << (8 * kTimeBytes)) - 1;
  return std::clamp<int64_t>(absl::ToUnixSeconds(time), 0, kMaxSeconds);
}

}  // namespace

std::string MakeProfileId(absl::Time created_at, std::string_view origin) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash;
  SHA256(reinterpret_cast<const unsigned char*>(origin.data()), origin.size(),
         hash.data());
  std::array<unsigned char, kIdBytes> bytes;
  const int64_t seconds = SecondsOf(created_at);
  for (size_t i = 0; i < kTimeBytes; ++i) {
    bytes[i] =
        static_cast<unsigned char>(seconds >> (8 * (kTimeBytes - 1 - i)));
  }
  std::copy_n(hash.begin(), kIdBytes - kTimeBytes, bytes.begin() + kTimeBytes);

  std::string id;
  id.reserve(kIdDigits);
  unsigned bits = 0;
  int held = 0;
  for (const unsigned char byte : bytes) {
    bits = bits << 8 | byte;
    held += 8;
    while (held >= kBitsPerDigit) {
      held -= kBitsPerDigit;
      id += kDigits[bits >> held & 31];
    }
  }
  id += kDigits[bits << (kBitsPerDigit - held) & 31];
  return id;
}

absl::Time TimeOfProfileId(std::string_view id) {
  if (id.size() != kIdDigits) return absl::InfinitePast();
  int64_t seconds = 0;
  for (size_t i = 0; i < kIdDigits; ++i) {
    const size_t digit = kDigits.find(id[i]);
    if (digit == std::string_view::npos) return absl::InfinitePast();
    if (i < 8 * kTimeBytes / kBitsPerDigit) {
      seconds = seconds << kBitsPerDigit | static_cast<int64_t>(digit);
    }
  }
  return absl::FromUnixSeconds(seconds);
}

}  // namespace wallprof::store
