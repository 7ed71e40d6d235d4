#include "profiler/record/timeline.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "profiler/record/key_map.h"

namespace wallprof::record {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kMinuteNs = 60 * kSecondNs;
constexpr int64_t kHourNs = 60 * kMinuteNs;

struct Level {
  int64_t age_ns;
  int64_t cell_ns;  // of a grid; each a multiple of the one before
};
constexpr Level kLevels[] = {{kMinuteNs, 10 * kSecondNs},
                             {kHourNs, kMinuteNs},
                             {6 * kHourNs, 10 * kMinuteNs}};
constexpr int64_t kForgottenNs = 24 * kHourNs;

// What is done in turn where memory is short: the last hour is what people ask
// for most, so the day before it gives way first.
constexpr Level kLevelsWhenShort[] = {{kHourNs, 10 * kMinuteNs},
                                      {kHourNs, kHourNs},
                                      {0, kMinuteNs},
                                      {0, 10 * kMinuteNs},
                                      {0, kHourNs}};

// What a step of the realtime clock must be for slices on both sides of it to
// stay apart, so that each one's times are true.
constexpr int64_t kStepNs = 100'000'000;

// Dictionaries below it are not worth looking for what is no longer used; nor
// is it worth while to join slices when a dictionary takes most of the memory.
constexpr size_t kSmallDictionary = size_t{1} << 20;
constexpr size_t kDictionaryShare = 2;

// Of the slices, so many are dropped at a time, for a dictionary to get
// smaller.
constexpr size_t kDroppedShare = 4;

// A thread's start and end for each of a thousand threads.
constexpr size_t kMaxEvents = 2000;

// Its middle is what says where a slice lies: its ends are a tick off the grid.
int64_t CellOf(const Slice& slice, int64_t cell_ns) {
  return (slice.start_ns + (slice.end_ns - slice.start_ns) / 2) / cell_ns;
}

bool Meet(const Slice& a, const Slice& b) {
  return a.end_ns == b.start_ns &&
         std::abs(b.start_wall_ns - a.end_wall_ns) < kStepNs;
}

bool MayJoin(const Slice& a, const Slice& b, int64_t now_ns) {
  for (const Level& level : kLevels) {
    const int64_t cell = CellOf(b, level.cell_ns);
    if (now_ns - (cell + 1) * level.cell_ns >= level.age_ns &&
        CellOf(a, level.cell_ns) == cell) {
      return Meet(a, b);
    }
  }
  return false;
}

}  // namespace

Timeline::Timeline(size_t max_bytes)
    : max_bytes_(max_bytes), renew_at_bytes_(SmallDictionary()) {}

size_t Timeline::SmallDictionary() const {
  return std::min(kSmallDictionary, max_bytes_ / (2 * kDictionaryShare));
}

void Timeline::Add(Slice slice) {
  const int64_t now_ns = slice.end_ns;
  slice_bytes_ += slice.bytes();
  slices_.push_back(std::move(slice));
  DropOlderThan(now_ns - kForgottenNs);
  JoinAged(now_ns);
  KeepWithinBudget();
}

void Timeline::AddEvent(Event event) {
  if (events_.size() == kMaxEvents) events_.erase(events_.begin());
  events_.push_back(std::move(event));
}

size_t Timeline::bytes() const {
  size_t event_bytes = events_.capacity() * sizeof(Event);
  for (const Event& event : events_) event_bytes += event.detail.capacity();
  return slice_bytes_ + dictionary_->bytes() + event_bytes;
}

void Timeline::DropOlderThan(int64_t time_ns) {
  const auto kept =
      std::find_if(slices_.begin(), slices_.end(),
                   [&](const Slice& slice) { return slice.end_ns >= time_ns; });
  for (auto it = slices_.begin(); it != kept; ++it) slice_bytes_ -= it->bytes();
  slices_.erase(slices_.begin(), kept);
}

void Timeline::JoinAged(int64_t now_ns) {
  size_t last = 0;
  for (size_t i = 1; i < slices_.size(); ++i) {
    if (!MayJoin(slices_[last], slices_[i], now_ns)) {
      ++last;
      if (last != i) slices_[last] = std::move(slices_[i]);
      continue;
    }
    Slice joined = Joined(slices_[last], slices_[i]);
    slice_bytes_ += joined.bytes();
    slice_bytes_ -= slices_[last].bytes() + slices_[i].bytes();
    slices_[last] = std::move(joined);
  }
  slices_.resize(std::min(slices_.size(), last + 1));
}

// Joins the oldest slices that lie in one cell, on the first grid on which any
// do. False when there are none.
bool Timeline::JoinOldest() {
  for (const Level& level : kLevelsWhenShort) {
    const int64_t newest_end_ns = slices_.back().end_ns - level.age_ns;
    for (size_t i = 0; i + 1 < slices_.size(); ++i) {
      const int64_t cell = CellOf(slices_[i], level.cell_ns);
      size_t end = i + 1;
      while (end < slices_.size() && slices_[end].end_ns <= newest_end_ns &&
             CellOf(slices_[end], level.cell_ns) == cell &&
             Meet(slices_[end - 1], slices_[end])) {
        ++end;
      }
      if (end == i + 1) continue;
      Join(i, end);
      return true;
    }
  }
  return false;
}

void Timeline::Join(size_t begin, size_t end) {
  Slice joined = slices_[begin];
  for (size_t i = begin; i < end; ++i) {
    slice_bytes_ -= slices_[i].bytes();
    if (i > begin) joined = Joined(joined, slices_[i]);
  }
  slice_bytes_ += joined.bytes();
  slices_[begin] = std::move(joined);
  slices_.erase(slices_.begin() + static_cast<ptrdiff_t>(begin) + 1,
                slices_.begin() + static_cast<ptrdiff_t>(end));
}

void Timeline::KeepWithinBudget() {
  if (dictionary_->bytes() > renew_at_bytes_) RenewDictionary();
  while (bytes() > max_bytes_ && slices_.size() > 1) {
    if (dictionary_->bytes() <= max_bytes_ / kDictionaryShare && JoinOldest()) {
      continue;
    }
    // What only these named goes with them.
    const size_t dropped = std::max<size_t>(slices_.size() / kDroppedShare, 1);
    DropOlderThan(slices_[dropped - 1].end_ns + 1);
    RenewDictionary();
  }
}

// Leaves behind what no slice names.
void Timeline::RenewDictionary() {
  auto renewed = std::make_unique<Dictionary>();
  renewed->AddModules(*dictionary_);
  KeyMap numbers;
  for (Slice& slice : slices_) {
    slice_bytes_ -= slice.bytes();
    slice = numbers.Translated(slice, *dictionary_, *renewed);
    slice_bytes_ += slice.bytes();
  }
  dictionary_ = std::move(renewed);
  renew_at_bytes_ = std::max(SmallDictionary(), 2 * dictionary_->bytes());
  ++generation_;
}

}  // namespace wallprof::record
