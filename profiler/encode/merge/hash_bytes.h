// A hash of bytes that is inlined: much of the merge's time is spent in it.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_HASH_BYTES_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_HASH_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/hash/hash.h"

namespace wallprof {

namespace hash_bytes {

// wyhash's way to mix.
inline uint64_t Mix(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// wyhash's constants, made others in each process: what is mixed with 0 is 0,
// whatever it was, so that who knew them could prepare profiles that collide.
struct Secrets {
  uint64_t seed = absl::HashOf(std::string_view("wallprof"));
  uint64_t other_seed = Mix(seed ^ 0xa0761d6478bd642f, 0xe7037ed1a0b428db);
  uint64_t first = Mix(seed ^ 0x8ebc6af09c88c6e3, 0x589965cc75374cc3);
  uint64_t second = Mix(first ^ 0xa0761d6478bd642f, 0x1d8e4e27c47d124f);
  uint64_t last = Mix(second ^ 0xe7037ed1a0b428db, 0xeb44accab455d165);
};
inline const Secrets kSecrets;

template <typename Number>
uint64_t Load(const char* bytes) {
  Number number;
  std::memcpy(&number, bytes, sizeof(number));
  return number;
}

// The last bytes, 16 or fewer, as two numbers.
inline uint64_t MixTail(const char* bytes, size_t size, uint64_t hash) {
  uint64_t a = 0;
  uint64_t b = 0;
  if (size >= 8) {
    a = Load<uint64_t>(bytes);
    b = Load<uint64_t>(bytes + size - 8);
  } else if (size >= 4) {
    a = Load<uint32_t>(bytes);
    b = Load<uint32_t>(bytes + size - 4);
  } else if (size > 0) {
    a = Load<uint8_t>(bytes) << 16 | Load<uint8_t>(bytes + size / 2) << 8 |
        Load<uint8_t>(bytes + size - 1);
  }
  return Mix(a ^ kSecrets.first, b ^ hash);
}

}  // namespace hash_bytes

inline uint32_t HashBytes(std::string_view text) {
  using namespace hash_bytes;  // NOLINT: it is this function's alone
  const char* bytes = text.data();
  size_t size = text.size();
  uint64_t hash = kSecrets.seed;
  uint64_t other = kSecrets.other_seed;
  for (; size > 32; bytes += 32, size -= 32) {
    hash = Mix(Load<uint64_t>(bytes) ^ kSecrets.first,
               Load<uint64_t>(bytes + 8) ^ hash);
    other = Mix(Load<uint64_t>(bytes + 16) ^ kSecrets.second,
                Load<uint64_t>(bytes + 24) ^ other);
  }
  hash ^= other;
  if (size > 16) {
    hash = Mix(Load<uint64_t>(bytes) ^ kSecrets.second,
               Load<uint64_t>(bytes + 8) ^ hash);
    bytes += 16;
    size -= 16;
  }
  hash = MixTail(bytes, size, hash);
  hash = Mix(hash ^ kSecrets.last, text.size() ^ kSecrets.first);
  return static_cast<uint32_t>(hash >> 32);
}

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_HASH_BYTES_H_
