// A profile store over any index and any segments.
#ifndef WALLPROF_FLEET_STORE_KEPT_PROFILES_H_
#define WALLPROF_FLEET_STORE_KEPT_PROFILES_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fleet/files/files.h"
#include "fleet/log/log_line.h"
#include "fleet/store/commit_queue.h"
#include "fleet/store/index.h"
#include "fleet/store/profile_store.h"
#include "fleet/store/segments.h"
#include "fleet/store/unpacker.h"

namespace wallprof::store {

class KeptProfiles : public ProfileStore {
 public:
  // `lock` is given back last.
  KeptProfiles(fleet::File lock, std::unique_ptr<Index> index,
               std::unique_ptr<Segments> segments, fleet::LineLog log);

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

  const fleet::File lock_;
  const std::unique_ptr<Index> index_;
  const std::unique_ptr<Segments> segments_;
  const fleet::LineLog log_;
  Unpacker unpacker_;
  CommitQueue queue_;

  std::atomic<int64_t> added_{0};
  std::atomic<int64_t> duplicates_{0};
  std::atomic<int64_t> damaged_{0};
};

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_KEPT_PROFILES_H_
