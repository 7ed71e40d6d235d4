// What goes by itself: profiles beyond the retention, and segments that nothing
// is in any more.
#ifndef WALLPROF_FLEET_STORE_HOUSE_H_
#define WALLPROF_FLEET_STORE_HOUSE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/log/log_line.h"
#include "fleet/store/commit_queue.h"
#include "fleet/store/index.h"
#include "fleet/store/profile_store.h"
#include "fleet/store/segments.h"

namespace wallprof::store {

struct HousePolicy {
  Retention retention;

  // Segments that the index does not know go when they are so old; none if
  // infinite.
  absl::Duration orphan_age = absl::InfiniteDuration();

  // The clock that ages of profiles are told by.
  std::function<absl::Time()> now;
};

// For one thread at a time; all of its calls end soon once `stopping`, with
// Cancelled.
class House {
 public:
  // All must outlive it.
  House(Index& index, Segments& segments, CommitQueue& queue,
        const std::atomic<bool>& stopping, HousePolicy policy,
        fleet::LineLog log);

  // Removes the profiles whose time is over, and those that are one too many.
  absl::Status ApplyRetention();

  // Deletes the segments that nothing is in.
  absl::Status ClearAway();

  int64_t expired() const { return expired_; }
  int64_t evicted() const { return evicted_; }
  int64_t thinned() const { return thinned_; }

 private:
  // Removes what `choose` says yes to, of what was created up to `to`, the
  // oldest first, until `choose` has had all or says no more.
  enum class Choice { kKeep, kRemove, kNoMore };
  absl::Status RemoveChosen(absl::Time from, absl::Time to,
                            absl::FunctionRef<Choice(const IndexEntry&)> choose,
                            std::atomic<int64_t>& count, std::string_view why);

  absl::Status Expire();
  absl::Status Thin(const Retention::Thinning& rule, absl::Time& thinned_until);
  absl::Status Evict();
  absl::Status ClearOrphans(const std::vector<SegmentInfo>& segments,
                            const std::vector<SegmentUse>& uses);

  Index& index_;
  Segments& segments_;
  CommitQueue& queue_;
  const std::atomic<bool>& stopping_;
  const HousePolicy policy_;
  const fleet::LineLog log_;

  // Of each rule: what is older was thinned already, and by when all of it is
  // looked at again, for what came late.
  std::vector<absl::Time> thinned_until_;
  absl::Time thins_all_at_ = absl::InfinitePast();

  std::atomic<int64_t> expired_{0};
  std::atomic<int64_t> evicted_{0};
  std::atomic<int64_t> thinned_{0};
};

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_HOUSE_H_
