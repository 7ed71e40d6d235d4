// Adds that come at once share one write to the segments and one to the index.
#ifndef WALLPROF_FLEET_STORE_COMMIT_QUEUE_H_
#define WALLPROF_FLEET_STORE_COMMIT_QUEUE_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fleet/store/index.h"
#include "fleet/store/segments.h"

namespace wallprof::store {

// Thread-safe. Of the threads that wait in Add, one does the work of all.
class CommitQueue {
 public:
  // Both must outlive it.
  CommitQueue(Index& index, Segments& segments)
      : index_(index), segments_(segments) {}

  // Writes `record`, of the profile `info`, unless its id is there. Whether it
  // is new.
  absl::StatusOr<bool> Add(const ProfileInfo& info, int64_t message_bytes,
                           std::string record);

  // Returns when all that is in segments by now is in the index, or never will
  // be.
  void AwaitWritten();

  // How many wait.
  int64_t waiting() const { return waiting_; }
  int64_t commits() const { return commits_; }

 private:
  struct Item {
    const ProfileInfo* info;
    int64_t message_bytes;
    std::string record;
    absl::StatusOr<bool> is_new = false;
    bool is_done = false;
    std::condition_variable changed;
  };

  void Commit(const std::vector<Item*>& batch);
  absl::Status WriteNew(const std::vector<Item*>& items);

  Index& index_;
  Segments& segments_;

  std::mutex mutex_;
  std::deque<Item*> queue_;  // under mutex_
  std::atomic<int64_t> waiting_{0};
  std::atomic<int64_t> commits_{0};

  std::mutex committing_;       // held by the one that works
  bool is_committing_ = false;  // under mutex_
};

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_COMMIT_QUEUE_H_
