// Bundles taken all the time: how a program profiles itself without a port, a
// network or privileges.
//
//   auto profiler = wallprof::Profiler::Start();
//   wallprof::BundleScheduleOptions options;
//   options.directory = "/var/tmp/bundles";
//   auto bundles = wallprof::BundleSchedule::Start(options, **profiler);
//
// then DIR/<program>/<host>/<process>/<time>.zip appear: one without waiting
// soon after the start, for programs that live shortly, then one every two
// minutes or a little less, and one at the end.
#ifndef WALLPROF_BUNDLE_SCHEDULE_H_
#define WALLPROF_BUNDLE_SCHEDULE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wallprof/bundle.h"
#include "wallprof/profiler.h"

namespace wallprof {

// Where bundles are kept: a directory, an object store. Called on the
// schedule's thread alone.
class BundleStore {
 public:
  virtual ~BundleStore() = default;

  // Keeps under `key` (BundleKey) what `write` gives to its sink; all of it, or
  // nothing and an error. `write` is to be called once, and its error returned.
  virtual absl::Status Put(
      const std::string& key,
      const std::function<absl::Status(const BundleSink&)>& write) = 0;
};

struct BundleScheduleOptions {
  // What a bundle has. `profile` is that of all but the first and the last,
  // which do not wait. `cancelled` and `enough` are the schedule's.
  BundleOptions bundle = Timed(absl::Seconds(5));

  // Directory to keep bundles in; it is made if need be. Written under another
  // name first, so that a reader never sees half of one.
  std::string directory;

  // What becomes of bundles of this program in `directory`, those of other
  // hosts and processes included: the oldest are removed beyond either bound.
  // Nothing else there is ever removed.
  absl::Duration keep_for = absl::Hours(7 * 24);
  int64_t keep_bytes = int64_t{1} << 30;

  // Instead of a directory.
  std::shared_ptr<BundleStore> store;

  // When the first is taken. Long enough for a program to have begun its work,
  // short enough for those that soon end.
  absl::Duration first_after = absl::Seconds(1);

  // From the end of one to the begin of the next, less something between zero
  // and the jitter, drawn anew each time, so that the processes of a fleet do
  // not do it together.
  absl::Duration interval = absl::Minutes(2);
  absl::Duration jitter = absl::Seconds(24);

  // Whether one is taken at the end: when the schedule is destroyed or the
  // program calls exit. Takes what naming the profile takes.
  bool final_bundle = true;

  // OkStatus, or InvalidArgument naming what is wrong.
  absl::Status Validate() const;

  static BundleOptions Timed(absl::Duration profile);
};

// What a schedule has done so far.
struct BundleCounts {
  int64_t written = 0;
  int64_t failed = 0;  // could not be kept; the next is tried all the same
  int64_t parts_left_out = 0;  // by errors, of those that were written
  int64_t removed = 0;         // files that the directory had too many
  std::string last_error;      // empty again once one was written
};

// Created, it runs, on a thread that is never sampled; destroyed, it has
// stopped and taken the last bundle. In a forked child it does nothing.
class BundleSchedule {
 public:
  // `profiler` must outlive the schedule. InvalidArgument for the options, the
  // system's error where the directory cannot be made or written to.
  static absl::StatusOr<std::unique_ptr<BundleSchedule>> Start(
      const BundleScheduleOptions& options, Profiler& profiler);

  ~BundleSchedule();
  BundleSchedule(const BundleSchedule&) = delete;
  BundleSchedule& operator=(const BundleSchedule&) = delete;

  // Takes the last bundle now, and no more. A measurement that is under way
  // ends early. Idempotent. Thread-safe.
  void Stop();

  // Thread-safe; also variable `wallprof_bundles` (variables.h).
  BundleCounts Counts() const;

 private:
  class State;

  explicit BundleSchedule(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace wallprof

#endif  // WALLPROF_BUNDLE_SCHEDULE_H_
