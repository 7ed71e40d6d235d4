// What a worker does, step by step.
#ifndef WALLPROF_FLEET_PGO_BASE_WORKER_STATE_H_
#define WALLPROF_FLEET_PGO_BASE_WORKER_STATE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fleet/pgo/base/current_base.h"
#include "fleet/pgo/base/merging.h"
#include "fleet/pgo/base/part_cache.h"
#include "fleet/pgo/base/recent_ids.h"
#include "fleet/pgo/base/worker.h"

namespace wallprof::pgo {

// An id stays in the manifest for so long after its staged object was seen for
// the last time: a sender may try again, and put it there once more.
inline constexpr absl::Duration kIdMemory = absl::Hours(1);

// All but SetRules() and counts() is for one thread.
class Worker::State {
 public:
  State(BaseStore& store, EventReader& reader, EventWriter& writer,
        WorkerOptions options)
      : store_(store),
        reader_(reader),
        writer_(writer),
        options_(std::move(options)),
        rules_(std::make_shared<const PruneRules>(std::move(options_.rules))) {}

  void Run(const std::function<bool()>& stopping);
  absl::Status Sweep();
  void SetRules(PruneRules rules);
  WorkerCounts counts() const;

 private:
  // What a sweep has found of an application.
  struct Found {
    std::string app;
    std::vector<int64_t> staged;   // ids, in order
    std::vector<ObjectInfo> made;  // parts, bases and states
    ObjectInfo copy;               // <app>/default.pgo; or without a key
  };

  // worker.cc
  void HeedNext(absl::Duration patience);
  void Heed(Delivery& delivery);
  absl::Status HeedEvent(const Event& event);
  absl::Status HeedUploaded(const std::string& app, int64_t id);
  absl::Status HeedKnown(const std::string& app, int64_t id);
  absl::Status HeedMerged(const std::string& app, int64_t id);
  absl::Status HeedDeleted(const Event& event);
  void SweepInTime();
  void Wait(absl::Duration duration) const;
  bool stopping() const { return stopping_ && stopping_(); }

  // merge_steps.cc
  absl::StatusOr<std::vector<int64_t>> BatchWith(const std::string& app,
                                                 int64_t id,
                                                 const Manifest& manifest);
  absl::StatusOr<NextBase> Merge(const std::string& app,
                                 const CurrentBase& current,
                                 const std::vector<int64_t>& ids,
                                 const std::vector<MergedProfile>* remembered);
  void GoOn();
  absl::Status Follow(const std::string& app, const NextBase& next);
  absl::Status PutAside(const std::string& app, const Refused& refused);
  absl::Status PutDefaultAside(const std::string& app, const std::string& why);
  absl::StatusOr<bool> IsStaged(const std::string& app, int64_t id);
  absl::Status Publish(const std::string& app, int64_t id);
  void Tell(const fleet::LogLine& line) const { line.To(options_.log); }
  void Warn(const fleet::LogLine& line) const { line.To(options_.warn); }
  void TellVersion(const std::string& app, const NextBase& next);
  // What stays as it is is told once, and when it is over.
  void Failed(const std::string& what, const absl::Status& status);
  void Went(const std::string& what);

  // sweep.cc
  absl::Status SweepApp(const Found& found);
  absl::StatusOr<CurrentBase> MergeFound(const Found& found, bool& changed);
  absl::Status PublishFound(const Found& found, const CurrentBase& current);
  absl::Status RemoveGarbage(const Found& found, CurrentBase current);
  absl::Status ForgetDeleted(const std::string& app);
  absl::Status CheckCopy(const Found& found);

  BaseStore& store_;
  EventReader& reader_;
  EventWriter& writer_;
  WorkerOptions options_;  // but for the rules
  std::mutex rules_mutex_;
  std::shared_ptr<const PruneRules> rules_;
  std::function<bool()> stopping_;

  ManifestCache manifests_;
  PartCache parts_;
  // Staged profiles that were listed and are not merged yet, the oldest last.
  // One listing serves many batches.
  std::map<std::string, std::vector<int64_t>> pending_;
  // Merged in a batch of another's event, and told: their own events are
  // nothing new.
  RecentIds published_;
  // Copies that were compared with their bases: revision and time.
  std::map<std::string, std::pair<uint64_t, absl::Time>> checked_copies_;
  std::set<std::string> failing_;
  int64_t told_duplicates_ = 0;  // of those counted, of any application
  int failures_in_a_row_ = 0;
  int failed_sweeps_ = 0;
  absl::Time next_sweep_ = absl::InfinitePast();
  Delivery* delivery_ = nullptr;  // that is being heeded
  absl::Time extended_;           // when it was

  std::atomic<int64_t> merged_{0};
  std::atomic<int64_t> duplicates_{0};
  std::atomic<int64_t> quarantined_{0};
  std::atomic<int64_t> conflicts_{0};
  std::atomic<int64_t> deleted_{0};
  std::atomic<int64_t> failures_{0};
};

// Of a merge that others are quicker with.
inline constexpr int kMergeTries = 10;

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_BASE_WORKER_STATE_H_
