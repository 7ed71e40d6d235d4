// Engines that forget everything when they go, and fail when told to.
#ifndef WALLPROF_TESTS_FLEET_PGO_SERVER_MEMORY_ENGINES_H_
#define WALLPROF_TESTS_FLEET_PGO_SERVER_MEMORY_ENGINES_H_

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "fleet/pgo/events/bus.h"
#include "fleet/pgo/versions/base_versions.h"
#include "wallprof/object_store.h"

namespace wallprof::pgo {

class MemoryObjects : public ObjectStore {
 public:
  // What every call gives, if it is an error.
  absl::Status broken;

  absl::Status Put(std::string_view key, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    if (!broken.ok()) return broken;
    objects_[std::string(key)] = std::string(bytes);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Get(std::string_view key,
                                  size_t max_bytes) override {
    const std::lock_guard lock(mutex_);
    if (!broken.ok()) return broken;
    const auto found = objects_.find(std::string(key));
    if (found == objects_.end()) return absl::NotFoundError("no such object");
    if (found->second.size() > max_bytes) {
      return absl::ResourceExhaustedError("too large");
    }
    return found->second;
  }

  absl::StatusOr<std::string> GetRange(std::string_view key, int64_t offset,
                                       int64_t bytes) override {
    const auto whole = Get(key, ~size_t{0});
    if (!whole.ok()) return whole;
    if (offset >= static_cast<int64_t>(whole->size())) {
      return absl::OutOfRangeError("it ends before");
    }
    return whole->substr(static_cast<size_t>(offset),
                         static_cast<size_t>(bytes));
  }

  absl::Status Delete(std::string_view key) override {
    const std::lock_guard lock(mutex_);
    if (!broken.ok()) return broken;
    objects_.erase(std::string(key));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<ObjectInfo>> List(std::string_view prefix,
                                               std::string_view after,
                                               int limit) override {
    const std::lock_guard lock(mutex_);
    if (!broken.ok()) return broken;
    std::vector<ObjectInfo> found;
    for (const auto& [key, bytes] : objects_) {
      if (std::string_view(key) <= after ||
          std::string_view(key).substr(0, prefix.size()) != prefix) {
        continue;
      }
      if (static_cast<int>(found.size()) == limit) break;
      found.push_back({key, static_cast<int64_t>(bytes.size()), absl::Now()});
    }
    return found;
  }

  // The keys that begin so.
  std::vector<std::string> KeysOf(const std::string& prefix) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> keys;
    for (const auto& [key, bytes] : objects_) {
      if (absl::StartsWith(key, prefix)) keys.push_back(key);
    }
    return keys;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> objects_;
};

class MemoryVersions : public BaseVersions {
 public:
  absl::Status broken;

  absl::StatusOr<BaseVersion> Get(std::string_view app) override {
    const std::lock_guard lock(mutex_);
    if (!broken.ok()) return broken;
    return versions_[std::string(app)];
  }

  absl::StatusOr<uint64_t> Replace(std::string_view app, uint64_t revision,
                                   std::string_view record) override {
    const std::lock_guard lock(mutex_);
    if (!broken.ok()) return broken;
    BaseVersion& version = versions_[std::string(app)];
    if (version.revision != revision) return absl::AbortedError("replaced");
    version.record = std::string(record);
    return ++version.revision;
  }

  absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>> List()
      override {
    const std::lock_guard lock(mutex_);
    if (!broken.ok()) return broken;
    std::vector<std::pair<std::string, BaseVersion>> list;
    for (const auto& [app, version] : versions_) {
      if (!version.record.empty()) list.emplace_back(app, version);
    }
    return list;
  }

  absl::Status Check() override { return broken; }

 private:
  std::mutex mutex_;
  std::map<std::string, BaseVersion> versions_;
};

// Keeps what is published, and delivers nothing.
class KeptEvents : public EventWriter, public EventReader {
 public:
  absl::Status broken;
  std::vector<Event> events;

  absl::Status Publish(const Event& event) override {
    if (broken.ok()) events.push_back(event);
    return broken;
  }

  absl::StatusOr<std::unique_ptr<Delivery>> Receive(
      absl::Duration, const std::function<bool()>&) override {
    return nullptr;
  }

  absl::Status Check() override { return broken; }
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_TESTS_FLEET_PGO_SERVER_MEMORY_ENGINES_H_
