// A program whose slices a test makes by hand, on clocks that it sets.
#ifndef WALLPROF_TESTS_RECORD_SIMULATED_PROGRAM_H_
#define WALLPROF_TESTS_RECORD_SIMULATED_PROGRAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "profiler/record/recorder.h"
#include "profiler/stacks/recording.h"
#include "profiler/stacks/snapshot.h"

namespace wallprof::record {

inline constexpr int64_t kSecondNs = 1'000'000'000;

// 2026-01-02T03:04:05Z
inline constexpr int64_t kStartWallNs = 1767323045 * kSecondNs;

class SimulatedProgram {
 public:
  // With two modules.
  SimulatedProgram();

  // The stack of `number`, of eight frames; neighbours share most of them.
  stacks::StackId Stack(uint32_t number);

  // A sample for the next slice.
  void Add(uint32_t stack, uint32_t thread, const stacks::Counts& counts,
           uint32_t labels = 0);

  // A sample for the next slice of a thread that waits for a lock, and the
  // wait, whose holder was running.
  void AddWait(uint32_t stack, uint32_t holder, uint32_t thread,
               const stacks::Counts& counts);

  // Ends the slice, which took `duration_ns`, and gives it to `recorder`.
  stacks::Measurement EndSlice(Recorder& recorder,
                               int64_t duration_ns = 10 * kSecondNs);

  // Threads, added at first use, are called "worker<index>", from tid 100 on.
  stacks::Recording& recording() { return *recording_; }
  ReadClocks clocks() {
    return [this] { return now; };
  }

  ClockReading now{kSecondNs, kSecondNs, kStartWallNs};
  stacks::Losses losses;  // of the next slice

 private:
  std::unique_ptr<stacks::Recording> recording_ =
      stacks::Recording::Allocate(stacks::Recording::kMinBytes * 4).value();
  std::vector<stacks::Measured> samples_;
  std::vector<stacks::Measured> waits_;
};

stacks::Counts TotalOf(const stacks::Measurement& measurement);

// Of a wall profile.
stacks::Counts TotalOf(const Profile& profile);

}  // namespace wallprof::record

#endif  // WALLPROF_TESTS_RECORD_SIMULATED_PROGRAM_H_
