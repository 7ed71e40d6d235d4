#include "tests/fleet/pgo/base/simulated.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/base/current_base.h"
#include "fleet/pgo/names.h"
#include "tests/fleet/pgo/profile/cpu_profiles.h"

namespace wallprof::pgo {
namespace {

// Longer than any test takes on a machine that does other things too.
constexpr absl::Duration kPatience = absl::Seconds(60);

}  // namespace

absl::Status MemoryObjects::Ask(const char* call, std::string_view key,
                                bool done) {
  Fault fault;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!done) ++calls_[call];
    fault = fault_;
  }
  return fault ? fault(call, key, done) : absl::OkStatus();
}

absl::Status MemoryObjects::Put(std::string_view key, std::string_view bytes) {
  if (absl::Status s = Ask("Put", key, false); !s.ok()) return s;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    objects_[std::string(key)] = {std::string(bytes), absl::Now()};
  }
  return Ask("Put", key, true);
}

absl::StatusOr<std::string> MemoryObjects::Get(std::string_view key,
                                               size_t max_bytes) {
  if (absl::Status s = Ask("Get", key, false); !s.ok()) return s;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return absl::NotFoundError(std::string(key));
  if (found->second.bytes.size() > max_bytes) {
    return absl::ResourceExhaustedError("too large");
  }
  return found->second.bytes;
}

absl::StatusOr<std::string> MemoryObjects::GetRange(std::string_view key,
                                                    int64_t offset,
                                                    int64_t bytes) {
  if (absl::Status s = Ask("GetRange", key, false); !s.ok()) return s;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return absl::NotFoundError(std::string(key));
  if (offset >= static_cast<int64_t>(found->second.bytes.size())) {
    return absl::OutOfRangeError("it ends before");
  }
  return found->second.bytes.substr(static_cast<size_t>(offset),
                                    static_cast<size_t>(bytes));
}

absl::Status MemoryObjects::Delete(std::string_view key) {
  if (absl::Status s = Ask("Delete", key, false); !s.ok()) return s;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    objects_.erase(std::string(key));
  }
  return Ask("Delete", key, true);
}

absl::StatusOr<std::vector<ObjectInfo>> MemoryObjects::List(
    std::string_view prefix, std::string_view after, int limit) {
  if (absl::Status s = Ask("List", prefix, false); !s.ok()) return s;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<ObjectInfo> found;
  for (auto it = objects_.lower_bound(std::max(prefix, after));
       it != objects_.end() && found.size() < static_cast<size_t>(limit);
       ++it) {
    if (std::string_view(it->first).substr(0, prefix.size()) != prefix) break;
    if (it->first <= after) continue;
    found.push_back({it->first, static_cast<int64_t>(it->second.bytes.size()),
                     it->second.modified});
  }
  return found;
}

void MemoryObjects::SetFault(Fault fault) {
  const std::lock_guard<std::mutex> lock(mutex_);
  fault_ = std::move(fault);
}

std::vector<std::string> MemoryObjects::Keys(std::string_view prefix) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& [key, object] : objects_) {
    if (std::string_view(key).substr(0, prefix.size()) == prefix) {
      keys.push_back(key);
    }
  }
  return keys;
}

void MemoryObjects::SetModified(const std::string& key, absl::Time modified) {
  const std::lock_guard<std::mutex> lock(mutex_);
  objects_.at(key).modified = modified;
}

std::map<std::string, int> MemoryObjects::calls() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return calls_;
}

absl::Status MemoryVersions::Ask(const char* call, std::string_view app,
                                 bool done) {
  Fault fault;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    fault = fault_;
  }
  return fault ? fault(call, app, done) : absl::OkStatus();
}

absl::StatusOr<BaseVersion> MemoryVersions::Get(std::string_view app) {
  if (absl::Status s = Ask("Version", app, false); !s.ok()) return s;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = versions_.find(app);
  return found == versions_.end() ? BaseVersion{} : found->second;
}

absl::StatusOr<uint64_t> MemoryVersions::Replace(std::string_view app,
                                                 uint64_t revision,
                                                 std::string_view record) {
  if (absl::Status s = Ask("Replace", app, false); !s.ok()) return s;
  uint64_t next;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    BaseVersion& version = versions_[std::string(app)];
    if (version.revision != revision) return absl::AbortedError("moved on");
    version = {std::string(record), ++last_};
    next = last_;
  }
  if (absl::Status s = Ask("Replace", app, true); !s.ok()) return s;
  return next;
}

absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>>
MemoryVersions::List() {
  if (absl::Status s = Ask("Versions", "", false); !s.ok()) return s;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::pair<std::string, BaseVersion>> listed;
  for (const auto& [app, version] : versions_) {
    if (!version.record.empty()) listed.emplace_back(app, version);
  }
  return listed;
}

void MemoryVersions::SetFault(Fault fault) {
  const std::lock_guard<std::mutex> lock(mutex_);
  fault_ = std::move(fault);
}

Fault RandomFaults(unsigned seed, int one_in) {
  struct Chance {
    std::mutex mutex;
    std::mt19937 random;
  };
  auto chance = std::make_shared<Chance>();
  chance->random.seed(seed);
  return [chance, one_in](std::string_view call, std::string_view key, bool) {
    unsigned draw, pause;
    {
      const std::lock_guard<std::mutex> lock(chance->mutex);
      draw = chance->random() % static_cast<unsigned>(one_in);
      pause = chance->random() % 1000;
    }
    if (pause < 100) absl::SleepFor(absl::Microseconds(pause * 10));
    return draw != 0
               ? absl::OkStatus()
               : absl::UnavailableError(absl::StrCat(
                     std::string(call), " ", std::string(key), ": no answer"));
  };
}

absl::Status UnrulyBus::Publish(const Event& event) {
  Fault fault;
  bool twice, first;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++published_[event.type];
    fault = fault_;
    twice = random_() % 2 == 0;
    first = random_() % 4 != 0;
  }
  absl::Status status;
  if (fault) status = fault("Publish", event.profile_key, false);
  if (!status.ok()) return status;
  for (int i = 0; i < (twice ? 2 : 1); ++i) {
    if (absl::Status s = bus_.Publish(event); !s.ok()) return s;
    if (!first) {
      // To the end of the queue.
      auto other = bus_.Receive(absl::ZeroDuration(), {});
      if (other.ok() && *other != nullptr) {
        if (absl::Status s = (*other)->Return(absl::Milliseconds(3)); !s.ok()) {
          return s;
        }
      }
    }
  }
  return fault ? fault("Publish", event.profile_key, true) : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Delivery>> UnrulyBus::Receive(
    absl::Duration patience, const std::function<bool()>& cancelled) {
  Fault fault;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    fault = fault_;
  }
  if (fault) {
    if (absl::Status s = fault("Receive", "", false); !s.ok()) return s;
  }
  return bus_.Receive(patience, cancelled);
}

void UnrulyBus::SetFault(Fault fault) {
  const std::lock_guard<std::mutex> lock(mutex_);
  fault_ = std::move(fault);
}

int UnrulyBus::published(std::string_view type) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = published_.find(type);
  return found == published_.end() ? 0 : found->second;
}

void Site::Upload(std::string_view app, std::string_view bytes, int64_t id) {
  const auto key = store.Stage(app, bytes, id);
  ASSERT_TRUE(key.ok()) << key.status();
  ASSERT_EQ(bus.Publish(NewEvent(kUploaded, app, *key)), absl::OkStatus());
}

WorkerCounts Site::Work(int count,
                        const std::function<WorkerOptions()>& options,
                        const std::function<bool()>& until) {
  std::atomic<bool> stop{false};
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<Worker>(store, bus, bus, options()));
    threads.emplace_back([&stop, worker = workers.back().get()] {
      worker->Run([&stop] { return stop.load(); });
    });
  }
  const absl::Time last = absl::Now() + kPatience;
  const auto staged = [this] {
    for (const std::string& key : objects.Keys()) {
      if (ParseStagingKey(key).has_value()) return true;
    }
    return false;
  };
  while ((staged() || (until && !until())) && absl::Now() < last) {
    absl::SleepFor(absl::Milliseconds(2));
  }
  EXPECT_LT(absl::Now(), last) << "the workers do not get done";
  stop = true;
  for (std::thread& thread : threads) thread.join();
  WorkerCounts sum;
  for (const auto& worker : workers) {
    const WorkerCounts counts = worker->counts();
    sum.merged += counts.merged;
    sum.duplicates += counts.duplicates;
    sum.quarantined += counts.quarantined;
    sum.conflicts += counts.conflicts;
    sum.deleted += counts.deleted;
    sum.failures += counts.failures;
  }
  return sum;
}

std::vector<std::string> Site::Kinds() {
  std::vector<std::string> kinds;
  for (std::string key : objects.Keys()) {
    if (RevisionOf(key).has_value()) {
      key.replace(key.rfind('/') + 1, std::string::npos, "*");
    }
    kinds.push_back(key);
  }
  return kinds;
}

std::string ProfileNumber(int i, std::string_view version, absl::Time time) {
  std::mt19937 random(static_cast<unsigned>(i) + 1);
  Profile profile = RandomCpuProfile(random);
  profile.time = time;
  return Accepted(profile, version);
}

absl::Time Beginning() { return absl::FromUnixSeconds(1'767'000'000); }

}  // namespace wallprof::pgo
