// A store that forgets everything when it goes, and fails when told to.
#ifndef WALLPROF_TESTS_FLEET_COLLECTOR_MEMORY_STORE_H_
#define WALLPROF_TESTS_FLEET_COLLECTOR_MEMORY_STORE_H_

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fleet/store/profile_store.h"

namespace wallprof::collector {

class MemoryStore : public store::ProfileStore {
 public:
  // What every call gives, if it is an error.
  absl::Status broken;

  // Called before a profile is read.
  std::function<void()> on_read = [] {};

  absl::StatusOr<bool> Add(const store::NewProfile& profile) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!broken.ok()) return broken;
    store::IndexEntry entry;
    entry.info = profile.info;
    entry.message_bytes = static_cast<int64_t>(profile.message.size());
    const bool is_new =
        entries_.try_emplace({entry.info.created_at, entry.info.id}, entry)
            .second;
    messages_.try_emplace(entry.info.id, profile.message);
    return is_new;
  }

  absl::Status Find(
      const store::Query& query,
      absl::FunctionRef<bool(const store::IndexEntry& entry)> take) override {
    if (!broken.ok()) return broken;
    for (const auto& [key, entry] : entries_) {
      if (entry.info.created_at < query.from ||
          entry.info.created_at > query.to ||
          !query.selector.Matches(entry.info.series)) {
        continue;
      }
      if (!take(entry)) break;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<store::IndexEntry>> Get(
      absl::Span<const std::string> ids) override {
    if (!broken.ok()) return broken;
    std::vector<store::IndexEntry> found;
    for (const std::string& id : ids) {
      const auto entry = entries_.find({store::TimeOfProfileId(id), id});
      if (entry != entries_.end()) found.push_back(entry->second);
    }
    return found;
  }

  absl::StatusOr<std::vector<store::Series>> FindSeries(
      const store::Query& query) override {
    std::set<store::Series> series;
    const absl::Status s = Find(query, [&](const store::IndexEntry& entry) {
      series.insert(entry.info.series);
      return true;
    });
    if (!s.ok()) return s;
    return std::vector<store::Series>(series.begin(), series.end());
  }

  absl::StatusOr<int64_t> CountSeries() override {
    const auto series = FindSeries({});
    if (!series.ok()) return series.status();
    return static_cast<int64_t>(series->size());
  }

  absl::StatusOr<std::string> Read(const store::IndexEntry& entry) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    on_read();
    if (!broken.ok()) return broken;
    const auto message = messages_.find(entry.info.id);
    if (message == messages_.end()) return absl::NotFoundError("removed");
    return message->second;
  }

  absl::StatusOr<int64_t> Delete(absl::Span<const std::string> ids) override {
    if (!broken.ok()) return broken;
    int64_t deleted = 0;
    for (const std::string& id : ids) {
      entries_.erase({store::TimeOfProfileId(id), id});
      deleted += static_cast<int64_t>(messages_.erase(id));
    }
    return deleted;
  }

  absl::StatusOr<store::StoreStatistics> Stats() override {
    return store::StoreStatistics();
  }
  absl::Status Check() override { return broken; }
  absl::Status KeepHouse() override { return broken; }

  // As if a profile's bytes were damaged, or gone.
  void Replace(const std::string& id, std::string message) {
    messages_[id] = std::move(message);
  }
  void LoseBytes(const std::string& id) { messages_.erase(id); }

 private:
  std::mutex mutex_;
  std::map<std::pair<absl::Time, std::string>, store::IndexEntry> entries_;
  std::map<std::string, std::string> messages_;
};

}  // namespace wallprof::collector

#endif  // WALLPROF_TESTS_FLEET_COLLECTOR_MEMORY_STORE_H_
