#include "fleet/store/commit_queue.h"

#include <string_view>
#include <unordered_set>
#include <utility>

namespace wallprof::store {
namespace {

// What one commit takes at most: a disk writes it in a few milliseconds, so
// that those behind it do not wait for long.
constexpr int64_t kMaxBatchBytes = int64_t{16} << 20;
constexpr size_t kMaxBatch = 512;

}  // namespace

absl::StatusOr<bool> CommitQueue::Add(const ProfileInfo& info,
                                      int64_t message_bytes,
                                      std::string record) {
  Item item{&info, message_bytes, std::move(record)};
  ++waiting_;
  std::unique_lock lock(mutex_);
  queue_.push_back(&item);
  while (!item.is_done) {
    if (is_committing_) {
      item.changed.wait(lock);
      continue;
    }
    is_committing_ = true;
    std::vector<Item*> batch;
    int64_t bytes = 0;
    while (!queue_.empty() && batch.size() < kMaxBatch &&
           (batch.empty() || bytes < kMaxBatchBytes)) {
      batch.push_back(queue_.front());
      bytes += static_cast<int64_t>(queue_.front()->record.size());
      queue_.pop_front();
    }
    lock.unlock();
    Commit(batch);
    lock.lock();
    is_committing_ = false;
    for (Item* const done : batch) {
      done->is_done = true;
      if (done != &item) done->changed.notify_one();
    }
    // Whoever is first now works next.
    if (!queue_.empty()) queue_.front()->changed.notify_one();
  }
  lock.unlock();
  --waiting_;
  return std::move(item.is_new);
}

void CommitQueue::AwaitWritten() { const std::lock_guard lock(committing_); }

void CommitQueue::Commit(const std::vector<Item*>& batch) {
  const std::lock_guard lock(committing_);
  std::vector<std::string> ids;
  ids.reserve(batch.size());
  for (const Item* item : batch) ids.push_back(item->info->id);
  const absl::StatusOr<std::vector<IndexEntry>> known = index_.Get(ids);
  if (!known.ok()) {
    for (Item* item : batch) item->is_new = known.status();
    return;
  }
  std::unordered_set<std::string_view> seen;
  for (const IndexEntry& entry : *known) seen.insert(entry.info.id);
  std::vector<Item*> fresh;
  std::vector<Item*> again;
  for (Item* item : batch) {
    (seen.insert(item->info->id).second ? fresh : again).push_back(item);
  }
  const absl::Status written =
      fresh.empty() ? absl::OkStatus() : WriteNew(fresh);
  if (written.ok()) return;
  for (Item* item : fresh) item->is_new = written;
  // Of the same id as one that could not be written, perhaps.
  for (Item* item : again) item->is_new = written;
}

absl::Status CommitQueue::WriteNew(const std::vector<Item*>& items) {
  std::vector<std::string_view> records;
  records.reserve(items.size());
  for (const Item* item : items) records.push_back(item->record);
  absl::StatusOr<std::vector<Place>> places =
      segments_.Write(records, SegmentKind::kReceived);
  if (!places.ok()) return places.status();
  std::vector<IndexEntry> entries;
  entries.reserve(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    entries.push_back(
        {*items[i]->info, std::move((*places)[i]), items[i]->message_bytes});
  }
  const absl::StatusOr<std::vector<bool>> are_new = index_.Add(entries);
  if (!are_new.ok()) return are_new.status();
  for (size_t i = 0; i < items.size(); ++i) {
    items[i]->is_new = static_cast<bool>((*are_new)[i]);
  }
  ++commits_;
  return absl::OkStatus();
}

}  // namespace wallprof::store
