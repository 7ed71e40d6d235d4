// A source whose measurements a test holds in its hand.
#ifndef WALLPROF_TESTS_HTTP_FAKE_SOURCE_H_
#define WALLPROF_TESTS_HTTP_FAKE_SOURCE_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "wallprof/http.h"

namespace wallprof::http {

// main calls work (3 ms wall, 1 ms of it on a CPU) and nap (2 ms, all
// waiting), on a thread called "demo".
Profile SmallProfile();

class FakeSource : public ProfileSource {
 public:
  // Measurements begun while held last until Release() or until cancelled.
  void Hold();
  void Release();

  // Blocks until `count` measurements are under way at once.
  void AwaitHeld(int count);

  // Blocks until `count` measurements have ended by being cancelled.
  void AwaitCancelled(int count);

  absl::StatusOr<Profile> Collect(absl::Duration duration,
                                  const CollectOptions& options) override;
  absl::StatusOr<Profile> Past(absl::Time from, absl::Time to,
                               const PastOptions& options) override;
  absl::StatusOr<Recorded> DescribeRecorded() override { return recorded; }
  std::vector<ThreadInfo> Threads() override { return threads; }
  Statistics Stats() override { return stats; }

  // How many measurements were begun, and the last one's wishes.
  int collects();
  absl::Duration last_duration();
  int last_frequency_hz();
  bool last_detail();

  // What the last question for the past asked for.
  absl::Time last_from;
  absl::Time last_to;
  PastOptions last_past;

  // Set before the source is used.
  absl::StatusOr<Profile> result = SmallProfile();
  absl::StatusOr<Profile> past = SmallProfile();
  absl::StatusOr<Recorded> recorded = absl::NotFoundError("None.");
  std::vector<ThreadInfo> threads;
  Statistics stats;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool holding_ = false;
  int held_ = 0;
  int cancelled_ = 0;
  int collects_ = 0;
  absl::Duration last_duration_;
  int last_frequency_hz_ = -1;
  bool last_detail_ = false;
};

}  // namespace wallprof::http

#endif  // WALLPROF_TESTS_HTTP_FAKE_SOURCE_H_
