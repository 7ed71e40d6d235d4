// Adds sequences to a set some at a time: what one needs of memory comes while
// the others are looked for.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_BATCH_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
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

  // `bytes` must last until they are added.
  void Push(uint32_t tag, std::string_view bytes) {
    PushEntry({bytes.data(), 0, bytes.size(), HashBytes(bytes), tag});
  }

  // Room for the next sequence's words, to be written before PushWritten.
  uint32_t* Room(size_t words) { return words_.Extend(words); }

  // The words written to Room since the last PushWritten are a sequence.
  void PushWritten(uint32_t tag) {
    std::string_view bytes =
        BytesOf(Words(words_.data() + begin_, words_.size() - begin_));
    PushEntry({nullptr, begin_, bytes.size(), HashBytes(bytes), tag});
    begin_ = size_ == 0 ? 0 : words_.size();
  }

  void Flush() {
    for (size_t i = 0; i < size_; ++i) {
      set_.PrefetchBytes(entries_[i].hash, entries_[i].size);
    }
    AddedSequence added[kEntries];
    for (size_t i = 0; i < size_; ++i) {
      const Entry& entry = entries_[i];
      added[i] = {entry.tag, set_.Add(BytesOfEntry(entry), entry.hash)};
    }
    take_(absl::Span<const AddedSequence>(added, size_));
    size_ = begin_ = 0;
    words_.clear();
  }

 private:
  // As many as a core can wait for at once, some times over.
  static constexpr size_t kEntries = 32;

  struct Entry {
    const char* bytes;  // nullptr: they are in words_, from `begin` on
    size_t begin;
    size_t size;
    uint32_t hash;
    uint32_t tag;
  };

  void PushEntry(const Entry& entry) {
    set_.PrefetchPlace(entry.hash);
    entries_[size_] = entry;
    if (++size_ == kEntries) Flush();
  }

  std::string_view BytesOfEntry(const Entry& entry) const {
    if (entry.bytes != nullptr) return {entry.bytes, entry.size};
    return {reinterpret_cast<const char*>(words_.data() + entry.begin),
            entry.size};
  }

  SequenceSet& set_;
  Take take_;
  FlatArray<uint32_t> words_;
  size_t begin_ = 0;  // of the words not pushed yet
  Entry entries_[kEntries];
  size_t size_ = 0;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_SEQUENCE_BATCH_H_
