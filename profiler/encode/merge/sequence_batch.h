// Adds sequences to a set some at a time: what one needs of memory comes while
// the others are looked for.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_BATCH_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_BATCH_H_

#include <cstddef>
#include <cstdint>

#include "profiler/encode/merge/flat_array.h"
#include "profiler/encode/merge/sequence_set.h"

namespace wallprof {

// Which sequence, in the words of who pushed it, and its number in the set.
struct AddedSequence {
  uint32_t tag;
  uint32_t number;
};

// Calls `take` with the sequences in their order, in an
// absl::Span<const AddedSequence> of some at a time, the last ones in Flush.
template <typename Take>
class SequenceBatch {
 public:
  // The set must outlive this and have room for all.
  SequenceBatch(SequenceSet& set, Take take) : set_(set), take_(take) {}
  SequenceBatch(const SequenceBatch&) = delete;
  SequenceBatch& operator=(const SequenceBatch&) = delete;

  // Room for the next sequence's words, to be written before Push.
  uint32_t* Room(size_t count) { return words_.Extend(count); }

  // The words written to Room since the last Push are a sequence.
  void Push(uint32_t tag) {
    Entry& entry = entries_[size_];
    entry.tag = tag;
    entry.begin = size_ == 0 ? 0 : entries_[size_ - 1].end;
    entry.end = words_.size();
    entry.hash = HashWords(WordsOf(entry));
    set_.PrefetchPlace(entry.hash);
    if (++size_ == kEntries) Flush();
  }

  void Flush() {
    for (size_t i = 0; i < size_; ++i) set_.PrefetchWords(entries_[i].hash);
    AddedSequence added[kEntries];
    for (size_t i = 0; i < size_; ++i) {
      const Entry& entry = entries_[i];
      added[i] = {entry.tag, set_.Add(WordsOf(entry), entry.hash)};
    }
    take_(absl::Span<const AddedSequence>(added, size_));
    size_ = 0;
    words_.clear();
  }

 private:
  // As many as a core can wait for at once, some times over.
  static constexpr size_t kEntries = 32;

  struct Entry {
    size_t begin;
    size_t end;
    uint32_t hash;
    uint32_t tag;
  };

  Words WordsOf(const Entry& entry) const {
    return Words(words_.data() + entry.begin, entry.end - entry.begin);
  }

  SequenceSet& set_;
  FlatArray<uint32_t> words_;
  Take take_;
  Entry entries_[kEntries];
  size_t size_ = 0;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_BATCH_H_
