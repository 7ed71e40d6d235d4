// 64-bit numbers as the words of sequences.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_WORDS_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_WORDS_H_

#include <cstddef>
#include <cstdint>

namespace wallprof {

// Of one number.
inline constexpr size_t kNumberWords = 2;

inline uint32_t* WriteNumber(uint64_t number, uint32_t* words) {
  words[0] = static_cast<uint32_t>(number);
  words[1] = static_cast<uint32_t>(number >> 32);
  return words + kNumberWords;
}

inline uint64_t ReadNumber(const uint32_t* words) {
  return words[0] | uint64_t{words[1]} << 32;
}

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_WORDS_H_
