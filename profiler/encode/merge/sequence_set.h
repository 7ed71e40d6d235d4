// Sequences of 32-bit words, each kept once and numbered from 0 in order of
// arrival. Strings, functions, locations, labels and stacks are all kept as
// such, so that one table has to be fast.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_SET_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_SET_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "profiler/encode/merge/flat_array.h"
#include "profiler/encode/merge/flat_index.h"

namespace wallprof {

using Words = absl::Span<const uint32_t>;

inline uint32_t HashWords(Words words) {
  size_t hash = absl::HashOf(
      absl::string_view(reinterpret_cast<const char*>(words.data()),
                        words.size() * sizeof(uint32_t)));
  return static_cast<uint32_t>(hash ^ hash >> 32);
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

  Words operator[](uint32_t number) const {
    const uint32_t* record = words_.data() + places_[number];
    return Words(record + kHeaderWords, record[kLength]);
  }

  // Brings what Add will need of a sequence with this hash closer, in two
  // steps between which other work should be done.
  void PrefetchPlace(uint32_t hash) const { index_.Prefetch(hash); }
  void PrefetchWords(uint32_t hash) const {
    uint32_t place = index_.Guess(hash);
    if (place == FlatIndex::kNone) return;
    const uint32_t* record = words_.data() + place;
    __builtin_prefetch(record);
    __builtin_prefetch(record + kWordsPerLine);
    __builtin_prefetch(record + 2 * kWordsPerLine);
  }

  // The number of `words`, whose hash is `hash`. It may be new.
  uint32_t Add(Words words, uint32_t hash) {
    uint32_t place =
        index_.Find(hash, [&](uint32_t place) { return IsAt(place, words); });
    if (place != FlatIndex::kNone) return words_[place + kNumber];
    place = static_cast<uint32_t>(words_.size());
    uint32_t number = static_cast<uint32_t>(size());
    uint32_t* record = words_.Extend(kHeaderWords + words.size());
    record[kLength] = static_cast<uint32_t>(words.size());
    record[kNumber] = number;
    Copy(words, record + kHeaderWords);
    places_.push_back(place);
    index_.Insert(hash, place);
    return number;
  }
  uint32_t Add(Words words) { return Add(words, HashWords(words)); }

  // The number of `words`, or FlatIndex::kNone.
  uint32_t Find(Words words) const {
    uint32_t place = index_.Find(
        HashWords(words), [&](uint32_t place) { return IsAt(place, words); });
    return place == FlatIndex::kNone ? place : words_[place + kNumber];
  }

 private:
  // In front of each sequence.
  enum Header : size_t { kLength, kNumber, kHeaderWords };
  static constexpr size_t kWordsPerLine = 64 / sizeof(uint32_t);  // of cache

  static void Copy(Words from, uint32_t* to) {
    if (!from.empty()) std::memcpy(to, from.data(), from.size() * sizeof(*to));
  }

  bool IsAt(uint32_t place, Words words) const {
    const uint32_t* record = words_.data() + place;
    return record[kLength] == words.size() &&
           (words.empty() || std::memcmp(record + kHeaderWords, words.data(),
                                         words.size() * sizeof(uint32_t)) == 0);
  }

  FlatArray<uint32_t> places_;  // of records in words_, by number
  FlatArray<uint32_t> words_;
  FlatIndex index_;  // of places
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_SET_H_
