// The slices that are kept, fine ones of late and coarse ones of long ago,
// and what happened meanwhile, in bounded memory.
//
//   age        0 ........ 1 min ........ 1 h ........ 6 h ........ 24 h
//   slices       as taken         10 s         1 min       10 min   dropped
//
// Neighbours are joined once the cell of the coarser grid that they lie in has
// the age; nothing is lost but detail in time, and sums stay right. Where
// memory is short, they are joined earlier, the oldest first, and up to an
// hour: the day before the last hour, and then that. When there is nothing left
// to join, the oldest are dropped.
//
// Ages are of CLOCK_MONOTONIC, so that setting the clock joins nothing.
#ifndef WALLPROF_PROFILER_RECORD_TIMELINE_H_
#define WALLPROF_PROFILER_RECORD_TIMELINE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "profiler/record/dictionary.h"
#include "profiler/record/event.h"
#include "profiler/record/slice.h"

namespace wallprof::record {

// How long a slice is when it is taken. Ten seconds are a thousand looks at a
// thread: shares in one slice are right to a few points, and one snapshot in
// so long costs nothing.
inline constexpr absl::Duration kSliceLength = absl::Seconds(10);

// Not thread-safe.
class Timeline {
 public:
  // Bound on what bytes() says, but that one slice is always kept.
  explicit Timeline(size_t max_bytes);

  // To which samples' keys belong, and new ones are added before Add.
  Dictionary& dictionary() { return *dictionary_; }
  const Dictionary& dictionary() const { return *dictionary_; }

  // Changes when keys have got new numbers. Only Add does that.
  int64_t generation() const { return generation_; }

  // Adds a slice that is later than all others.
  void Add(Slice slice);

  void AddEvent(Event event);

  // From the oldest on.
  const std::vector<Slice>& slices() const { return slices_; }
  const std::vector<Event>& events() const { return events_; }

  // Memory that all this takes.
  size_t bytes() const;

 private:
  void JoinAged(int64_t now_ns);
  bool JoinOldest();
  void Join(size_t begin, size_t end);
  void DropOlderThan(int64_t time_ns);
  size_t SmallDictionary() const;
  void KeepWithinBudget();
  void RenewDictionary();

  const size_t max_bytes_;
  std::unique_ptr<Dictionary> dictionary_ = std::make_unique<Dictionary>();
  int64_t generation_ = 0;
  size_t renew_at_bytes_;
  std::vector<Slice> slices_;
  size_t slice_bytes_ = 0;
  std::vector<Event> events_;
};

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_TIMELINE_H_
