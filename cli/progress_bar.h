// How far a measurement is, for people who wait for it.
#ifndef WALLPROF_CLI_PROGRESS_BAR_H_
#define WALLPROF_CLI_PROGRESS_BAR_H_

#include <string>

#include "absl/time/time.h"

namespace wallprof::cli {

// "[==========          ] 5 of 10 s", the bar full from `whole` on, which is
// above zero.
std::string ProgressLine(absl::Duration elapsed, absl::Duration whole);

// Draws it on standard error if that is a terminal and `whole` is known (above
// zero); gone when destroyed.
class ProgressBar {
 public:
  explicit ProgressBar(absl::Duration whole);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Cheap where nothing has changed.
  void Update();

 private:
  absl::Duration whole_;
  absl::Time start_;
  bool visible_;
  std::string shown_;
};

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PROGRESS_BAR_H_
