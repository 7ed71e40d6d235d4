// Received segments written again in less space: what is in them, without what
// was removed, compressed with what other profiles of the service have.
#ifndef WALLPROF_FLEET_STORE_PACKING_H_
#define WALLPROF_FLEET_STORE_PACKING_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/log/log_line.h"
#include "fleet/store/commit_queue.h"
#include "fleet/store/index.h"
#include "fleet/store/packer.h"
#include "fleet/store/record.h"
#include "fleet/store/segments.h"
#include "fleet/store/unpacker.h"

namespace wallprof::store {

// For how long a collector does the housekeeping before it has to say so again:
// longer than packing one group takes.
inline constexpr absl::Duration kLeadTerm = absl::Minutes(10);

struct PackingPolicy {
  // What is packed at once, in memory.
  int64_t max_group_bytes = int64_t{64} << 20;

  // Less than that waits for more, for `max_wait` at most.
  int64_t min_group_bytes = int64_t{16} << 20;
  absl::Duration max_wait = absl::Hours(1);

  // Younger segments are left alone: other collectors may not have told the
  // index of them yet.
  absl::Duration min_age;
};

// For one thread at a time.
class Packing {
 public:
  // All must outlive it. It ends soon once `stopping`, with Cancelled.
  struct Rooms {
    Index& index;
    Segments& segments;
    CommitQueue& queue;
    Unpacker& unpacker;
    Packer& packer;
    const std::atomic<bool>& stopping;
  };
  Packing(Rooms rooms, PackingPolicy policy, fleet::LineLog log)
      : rooms_(rooms), policy_(policy), log_(std::move(log)) {}

  // Packs what is due.
  absl::Status Run();

  // Profiles written again since the start, and records that no longer were.
  int64_t packed() const { return packed_; }
  int64_t damaged() const { return damaged_; }

 private:
  struct Candidate {
    SegmentInfo info;
    SegmentUse use;
  };
  using Group = std::vector<Candidate>;

  // A record to be written again.
  struct Item {
    ProfileInfo info;
    Place from;
    Record record;            // its payload is a view of `source`
    std::string_view source;  // the whole record
  };

  absl::StatusOr<std::vector<Candidate>> ListCandidates() const;
  std::vector<Group> GroupsOf(const std::vector<Candidate>& candidates) const;
  absl::Status PackGroup(const Group& group, Effort effort);
  absl::Status ReadItems(const Candidate& candidate, const std::string& bytes,
                         std::vector<Item>& items);
  absl::Status PackService(std::vector<Item*> items, Effort effort,
                           std::map<const Item*, std::string>& records);
  absl::Status WriteItems(const std::vector<Item>& items,
                          const std::map<const Item*, std::string>& records);
  absl::Status GiveWay() const;

  const Rooms rooms_;
  const PackingPolicy policy_;
  const fleet::LineLog log_;
  std::atomic<int64_t> packed_{0};
  std::atomic<int64_t> damaged_{0};

  // Segments with profiles that cannot be found in them: not read over and
  // over.
  std::set<std::string> given_up_;
};

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_PACKING_H_
