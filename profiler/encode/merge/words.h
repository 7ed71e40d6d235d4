// Numbers and strings as the words of sequences.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_WORDS_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_WORDS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "profiler/encode/merge/sequence_set.h"

namespace wallprof {

// Of one 64-bit number.
inline constexpr size_t kNumberWords = 2;

inline uint32_t* WriteNumber(uint64_t number, uint32_t* words) {
  words[0] = static_cast<uint32_t>(number);
  words[1] = static_cast<uint32_t>(number >> 32);
  return words + kNumberWords;
}

inline uint64_t ReadNumber(const uint32_t* words) {
  return words[0] | uint64_t{words[1]} << 32;
}

// A string is its size and its bytes, the last word filled with zeros.
inline size_t WordsForString(std::string_view text) {
  return 1 + (text.size() + sizeof(uint32_t) - 1) / sizeof(uint32_t);
}

inline void WriteString(std::string_view text, uint32_t* words) {
  words[0] = static_cast<uint32_t>(text.size());
  if (text.empty()) return;
  words[WordsForString(text) - 1] = 0;
  std::memcpy(words + 1, text.data(), text.size());
}

inline std::string_view ReadString(Words words) {
  return {reinterpret_cast<const char*>(words.data() + 1), words[0]};
}

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_WORDS_H_
