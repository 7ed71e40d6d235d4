// Sequences of bytes or of 32-bit words, each kept once and numbered from 0 in
// order of arrival. Strings, functions, locations, labels and stacks are all
// kept as such, so that one table has to be fast.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_SET_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_SET_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "absl/types/span.h"
#include "profiler/encode/merge/flat_array.h"
#include "profiler/encode/merge/flat_index.h"
#include "profiler/encode/merge/hash_bytes.h"

namespace wallprof {

using Words = absl::Span<const uint32_t>;

// The bytes that words are.
inline std::string_view BytesOf(Words words) {
  return {reinterpret_cast<const char*>(words.data()),
          words.size() * sizeof(uint32_t)};
}

// How many words have room for `bytes`.
inline size_t WordsFor(size_t bytes) {
  return (bytes + sizeof(uint32_t) - 1) / sizeof(uint32_t);
}

class SequenceSet {
 public:
  size_t size() const { return places_.size(); }
  size_t words() const { return words_.size(); }
  size_t bytes() const {
    return places_.bytes() + words_.bytes() + index_.bytes();
  }

  // What bytes() is once there is room for that much more; more than any
  // memory where numbers of 32 bits do not suffice.
  size_t BytesWith(size_t sequences, size_t words) const {
    size_t all_words = words_.size() + words + sequences * kHeaderWords;
    if (all_words >= FlatIndex::kNone) {
      return std::numeric_limits<uint32_t>::max() * size_t{16};
    }
    return places_.BytesFor(size() + sequences) + words_.BytesFor(all_words) +
           index_.BytesFor(size() + sequences);
  }

  // Room for that much more; beyond it nothing may be added.
  void Reserve(size_t sequences, size_t words) {
    places_.Reserve(size() + sequences);
    words_.Reserve(words_.size() + words + sequences * kHeaderWords);
    index_.Reserve(size() + sequences);
  }

  // What has this number.
  std::string_view BytesAt(uint32_t number) const {
    const uint32_t* record = words_.data() + places_[number];
    return {reinterpret_cast<const char*>(record + kHeaderWords),
            record[kSize]};
  }
  Words WordsAt(uint32_t number) const {
    const uint32_t* record = words_.data() + places_[number];
    return Words(record + kHeaderWords, record[kSize] / sizeof(uint32_t));
  }

  // Brings what Add will need of a sequence with this hash and size closer, in
  // two steps between which other work should be done.
  void PrefetchPlace(uint32_t hash) const { index_.Prefetch(hash); }
  void PrefetchBytes(uint32_t hash, size_t size) const {
    uint32_t place = index_.Guess(hash);
    if (place == FlatIndex::kNone) return;
    const char* record = reinterpret_cast<const char*>(words_.data() + place);
    size_t end = std::min(size + kHeaderWords * sizeof(uint32_t), kMostFetched);
    for (size_t i = 0; i < end; i += kCacheLine) __builtin_prefetch(record + i);
  }

  // The number of `bytes`, whose hash is `hash`. It may be new.
  uint32_t Add(std::string_view bytes, uint32_t hash) {
    uint32_t place =
        index_.Find(hash, [&](uint32_t place) { return IsAt(place, bytes); });
    if (place != FlatIndex::kNone) return words_[place + kNumber];
    place = static_cast<uint32_t>(words_.size());
    uint32_t number = static_cast<uint32_t>(size());
    uint32_t* record = words_.Extend(kHeaderWords + WordsFor(bytes.size()));
    record[kSize] = static_cast<uint32_t>(bytes.size());
    record[kNumber] = number;
    if (!bytes.empty()) {
      std::memcpy(record + kHeaderWords, bytes.data(), bytes.size());
    }
    places_.push_back(place);
    index_.Insert(hash, place);
    return number;
  }
  uint32_t Add(std::string_view bytes) { return Add(bytes, HashBytes(bytes)); }
  uint32_t Add(Words words) { return Add(BytesOf(words)); }

  // The number of `bytes`, or FlatIndex::kNone.
  uint32_t Find(std::string_view bytes) const {
    uint32_t place = index_.Find(
        HashBytes(bytes), [&](uint32_t place) { return IsAt(place, bytes); });
    return place == FlatIndex::kNone ? place : words_[place + kNumber];
  }

 private:
  // In front of each sequence; its size is that in bytes.
  enum Header : size_t { kSize, kNumber, kHeaderWords };

  static constexpr size_t kCacheLine = 64;
  static constexpr size_t kMostFetched = 4 * kCacheLine;  // the rest follows

  bool IsAt(uint32_t place, std::string_view bytes) const {
    const uint32_t* record = words_.data() + place;
    return record[kSize] == bytes.size() &&
           (bytes.empty() || std::memcmp(record + kHeaderWords, bytes.data(),
                                         bytes.size()) == 0);
  }

  FlatArray<uint32_t> places_;  // of records in words_, by number
  FlatArray<uint32_t> words_;
  FlatIndex index_;  // of places
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_SET_H_
