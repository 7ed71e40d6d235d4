// What was measured in one stretch of time, small.
#ifndef WALLPROF_PROFILER_RECORD_SLICE_H_
#define WALLPROF_PROFILER_RECORD_SLICE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "profiler/record/bytes.h"
#include "profiler/stacks/snapshot.h"

namespace wallprof::record {

struct SliceSample {
  uint32_t key = 0;  // number of a Key in the dictionary
  stacks::Counts counts;
};

// Samples, coded.
struct SampleList {
  stacks::Counts total;  // exact to the nanosecond
  uint32_t sample_count = 0;
  std::string samples;
};

// What the threads did. Slices of one recorder meet: one ends at the tick where
// the next begins.
struct Slice : SampleList {
  int64_t start_ns = 0;  // CLOCK_MONOTONIC
  int64_t end_ns = 0;
  int64_t start_wall_ns = 0;  // CLOCK_REALTIME, since 1970
  int64_t end_wall_ns = 0;
  int64_t ticks = 0;
  stacks::Losses losses;
  uint32_t threads = 0;
  SampleList lock_waits;  // of keys with a holder

  int64_t middle_wall_ns() const {
    return start_wall_ns + (end_wall_ns - start_wall_ns) / 2;
  }
  size_t bytes() const {
    return sizeof(Slice) + samples.capacity() + lock_waits.samples.capacity();
  }
};

// Sets the list to `samples`, which are sorted by key, each key once. Times are
// kept in whole microseconds; what that leaves
// over goes on to the next sample, and the last one's to the first, so that
// totals stay exact and every sample is right to a microsecond.
void SetSamples(const std::vector<SliceSample>& samples, SampleList& list);

// The samples, sorted by key. The list is one of SetSamples or DecodeSlice.
std::vector<SliceSample> Samples(const SampleList& list);

// Sorts them by key and adds up those of one key.
void SortSamples(std::vector<SliceSample>& samples);

// Adds `more` to `samples`; both sorted by key, each key once.
void AddSamples(const std::vector<SliceSample>& more,
                std::vector<SliceSample>& samples);

// `a` and then `b`, which follows it.
Slice Joined(const Slice& a, const Slice& b);

// Adds what `b` has to `a`.
void Add(const stacks::Losses& b, stacks::Losses& a);

void EncodeSlice(const Slice& slice, ByteWriter& out);

// False when the bytes are not EncodeSlice's, or name keys beyond `key_count`.
bool DecodeSlice(ByteReader& in, uint32_t key_count, Slice& slice);

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_SLICE_H_
