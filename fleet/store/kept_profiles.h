// A profile store over any index and any segments.
#ifndef WALLPROF_FLEET_STORE_KEPT_PROFILES_H_
#define WALLPROF_FLEET_STORE_KEPT_PROFILES_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fleet/files/files.h"
#include "fleet/log/log_line.h"
#include "fleet/store/commit_queue.h"
#include "fleet/store/house.h"
#include "fleet/store/index.h"
#include "fleet/store/packer.h"
#include "fleet/store/packing.h"
#include "fleet/store/profile_store.h"
#include "fleet/store/segments.h"
#include "fleet/store/unpacker.h"

namespace wallprof::store {

struct KeepingOptions {
  HousePolicy house;
  PackingPolicy packing;

  // Where bytes travel, they are compressed before they are written, not just
  // afterwards.
  bool compresses_adds = false;

  // For how long Stats() has segments as they were listed: where they are
  // elsewhere, that is a request for every thousand.
  absl::Duration counts_segments_every;

  // How often the housekeeping is done; never by itself if zero.
  absl::Duration keeps_house_every = absl::Minutes(1);

  fleet::LineLog log;
};

class KeptProfiles : public ProfileStore {
 public:
  // `lock` is given back last.
  KeptProfiles(fleet::File lock, std::unique_ptr<Index> index,
               std::unique_ptr<Segments> segments, KeepingOptions options);
  ~KeptProfiles() override;

  absl::StatusOr<bool> Add(const NewProfile& profile) override;
  absl::Status Find(
      const Query& query,
      absl::FunctionRef<bool(const IndexEntry& entry)> take) override;
  absl::StatusOr<std::vector<IndexEntry>> Get(
      absl::Span<const std::string> ids) override;
  absl::StatusOr<std::vector<Series>> FindSeries(const Query& query) override;
  absl::StatusOr<int64_t> CountSeries() override;
  absl::StatusOr<std::string> Read(const IndexEntry& entry) override;
  absl::StatusOr<int64_t> Delete(absl::Span<const std::string> ids) override;
  absl::StatusOr<StoreStatistics> Stats() override;
  absl::Status Check() override;
  absl::Status KeepHouse() override;

 private:
  absl::StatusOr<std::string> ReadAt(const IndexEntry& entry);
  absl::Status CountSegments(StoreStatistics& statistics);
  void KeepHouseNowAndThen();

  const fleet::File lock_;
  const std::unique_ptr<Index> index_;
  const std::unique_ptr<Segments> segments_;
  const KeepingOptions options_;
  Unpacker unpacker_;
  Packer packer_;
  CommitQueue queue_;

  std::atomic<bool> stopping_{false};
  std::mutex keeping_house_;
  House house_;      // under keeping_house_, but for its counts
  Packing packing_;  // the same

  std::mutex counting_segments_;
  absl::Time segments_counted_ = absl::InfinitePast();
  int64_t segment_count_ = 0;
  int64_t segment_bytes_ = 0;

  std::atomic<int64_t> added_{0};
  std::atomic<int64_t> duplicates_{0};
  std::atomic<int64_t> damaged_{0};

  std::mutex waking_;
  std::condition_variable woken_;  // when stopping_
  std::thread housekeeper_;        // last: it uses all of the above
};

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_KEPT_PROFILES_H_
