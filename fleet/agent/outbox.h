// Profiles that wait to be sent, the oldest first: in memory while the
// collector takes them, else in the spool. Bounded by dropping the oldest.
#ifndef WALLPROF_FLEET_AGENT_OUTBOX_H_
#define WALLPROF_FLEET_AGENT_OUTBOX_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "fleet/agent/clock.h"
#include "fleet/agent/parcel.h"
#include "fleet/agent/spool.h"
#include "fleet/agent/tally.h"
#include "fleet/log/log_line.h"

namespace wallprof::agent {

struct OutboxOptions {
  std::string service;
  std::string spool_dir;  // empty: memory alone
  int64_t spool_bytes = 0;
  absl::Duration spool_age;
  int64_t memory_bytes = 0;
};

// Thread-safe; of those who send there is one. The spool's locks are in the
// descriptor table of the threads that call Open, Put and Close.
class Outbox {
 public:
  Outbox(OutboxOptions options, const Clock& clock, Tally& tally,
         fleet::Log log);

  struct Item {
    Parcel parcel;
    bool unsure = false;  // may have arrived
    absl::Time unsure_since;
  };

  // Takes in what programs of the service that have ended left in the spool.
  void Open();

  // Adds what was taken.
  void Put(Parcel parcel);

  // What to send next, which stays until Done or Keep; nullopt if nothing
  // waits. From here on it counts as unsure, should the program end. With
  // `after`, the one after the item of that id.
  std::optional<Item> Take(std::string_view after = {});

  // What was taken has arrived, or was given up.
  void Done();

  // What was taken waits on. From now on what is put goes to the spool, until
  // something arrives.
  void Keep(bool unsure);

  // Writes what is in memory to the spool; nothing is put or taken afterwards.
  void Close();

  bool empty() const;

 private:
  struct Entry {
    std::string id;
    absl::Time created_at;
    int64_t bytes = 0;
    bool unsure = false;
    absl::Time unsure_since;
    std::optional<Parcel> parcel;       // in memory, or
    std::optional<SpoolEntry> spooled;  // on disk
  };
  using Entries = std::deque<Entry>;

  bool OpenSpool();  // in Open and Put alone
  void Adopt();
  void Insert(Entry entry);
  void MakeRoomInSpool();
  void MakeRoomInMemory();
  bool MoveToSpool(Entry& entry, bool durable);
  bool IsExpired(const Entry& entry) const;
  bool Drop(Entries::iterator entry, const char* why,
            int64_t AgentStatistics::Lost::*count);
  std::optional<Item> Load(Entry& entry);
  void SpoolFailed(const absl::Status& status);
  void CountWaiting();

  const OutboxOptions options_;
  const Clock& clock_;
  Tally& tally_;
  const fleet::Log log_;

  mutable std::mutex mutex_;  // guards what follows
  std::unique_ptr<Spool> spool_;
  Entries entries_;
  std::string taken_;  // the id of what was taken; empty: nothing
  bool collector_away_ = false;
  bool closed_ = false;
  absl::Time next_adoption_ = absl::InfinitePast();
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_OUTBOX_H_
