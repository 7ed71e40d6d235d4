// What blocked threads wait for, while somebody wants to know: a few words of
// each wait, which stand in the stack table for a reader to make a name of.
#ifndef WALLPROF_PROFILER_CAPTURE_WAIT_TARGETS_H_
#define WALLPROF_PROFILER_CAPTURE_WAIT_TARGETS_H_

#include "absl/container/flat_hash_map.h"
#include "profiler/stacks/recording.h"
#include "profiler/threads/wait_words.h"

namespace wallprof::capture {

// For the sampler's thread alone.
class WaitTargets {
 public:
  // So many are told apart until the table is emptied: each makes entries for
  // every stack that waits for it.
  static constexpr size_t kMax = 4096;

  // Nor does it make entries when so much of the table is taken: stacks go
  // before what they wait for.
  static constexpr double kFullEnough = 0.5;

  // `recording` must outlive it.
  explicit WaitTargets(stacks::Recording& recording);

  // The number of `words` in the table; where there is no room for more, that
  // of WaitWords::TooMany().
  stacks::StackId Of(const threads::WaitWords& words);

  // The table has forgotten all.
  void Clear() { numbers_.clear(); }

 private:
  stacks::StackTable& table_;
  absl::flat_hash_map<threads::WaitWords, stacks::StackId> numbers_;
};

// What Of has made a number of. Thread-safe.
threads::WaitWords WordsAt(const stacks::StackTable& table,
                           stacks::StackId target);

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_WAIT_TARGETS_H_
