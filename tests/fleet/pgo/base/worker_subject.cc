// A program that stages profiles and merges them until nothing is staged, and
// that kills itself in the middle; "staged" is what it says in between:
//
//   worker_subject DIR FIRST COUNT STEPS
//
// stages profiles FIRST to FIRST+COUNT-1 in DIR, perhaps once more, and says
// twice of all that is staged that it is. It dies, as by kill -9, at the
// STEPS-th of the moments before and after the calls of its engines, or ends
// when it has heard nothing more for a while: what another has staged, or
// merged and not told of, is left to those who come later. STEPS 0: it does not
// die, and ends when all is merged and swept.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/base/base_store.h"
#include "fleet/pgo/base/worker.h"
#include "fleet/pgo/events/memory_bus.h"
#include "fleet/pgo/names.h"
#include "fleet/pgo/versions/file_versions.h"
#include "tests/fleet/pgo/base/simulated.h"
#include "wallprof/object_store.h"

namespace wallprof::pgo {
namespace {

constexpr char kApp[] = "shop";

// Counts moments, and dies in one.
class Fate {
 public:
  explicit Fate(int steps) : left_(steps) {}

  void Step() {
    if (left_.load() != 0 && left_.fetch_sub(1) == 1) kill(getpid(), SIGKILL);
  }

 private:
  std::atomic<int> left_;
};

template <typename Call>
auto Between(Fate& fate, Call call) {
  fate.Step();
  auto result = call();
  fate.Step();
  return result;
}

class MortalObjects : public ObjectStore {
 public:
  MortalObjects(ObjectStore& objects, Fate& fate)
      : objects_(objects), fate_(fate) {}

  absl::Status Put(std::string_view key, std::string_view bytes) override {
    return Between(fate_, [&] { return objects_.Put(key, bytes); });
  }
  absl::StatusOr<std::string> Get(std::string_view key,
                                  size_t max_bytes) override {
    return Between(fate_, [&] { return objects_.Get(key, max_bytes); });
  }
  absl::StatusOr<std::string> GetRange(std::string_view key, int64_t offset,
                                       int64_t bytes) override {
    return objects_.GetRange(key, offset, bytes);
  }
  absl::Status Delete(std::string_view key) override {
    return Between(fate_, [&] { return objects_.Delete(key); });
  }
  absl::StatusOr<std::vector<ObjectInfo>> List(std::string_view prefix,
                                               std::string_view after,
                                               int limit) override {
    return objects_.List(prefix, after, limit);
  }

 private:
  ObjectStore& objects_;
  Fate& fate_;
};

class MortalVersions : public BaseVersions {
 public:
  MortalVersions(BaseVersions& versions, Fate& fate)
      : versions_(versions), fate_(fate) {}

  absl::StatusOr<BaseVersion> Get(std::string_view app) override {
    return versions_.Get(app);
  }
  absl::StatusOr<uint64_t> Replace(std::string_view app, uint64_t revision,
                                   std::string_view record) override {
    return Between(fate_,
                   [&] { return versions_.Replace(app, revision, record); });
  }
  absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>> List()
      override {
    return versions_.List();
  }
  absl::Status Check() override { return versions_.Check(); }

 private:
  BaseVersions& versions_;
  Fate& fate_;
};

// Knows when nothing more comes.
class HearingReader : public EventReader {
 public:
  explicit HearingReader(EventReader& reader) : reader_(reader) {}

  absl::StatusOr<std::unique_ptr<Delivery>> Receive(
      absl::Duration, const std::function<bool()>& cancelled) override {
    // Longer than what is returned takes to come again.
    constexpr absl::Duration kSilence = absl::Milliseconds(300);
    auto delivery = reader_.Receive(kSilence, cancelled);
    is_silent_ = delivery.ok() && *delivery == nullptr;
    return delivery;
  }

  absl::Status Check() override { return reader_.Check(); }

  bool is_silent() const { return is_silent_; }

 private:
  EventReader& reader_;
  bool is_silent_ = false;
};

void Require(const absl::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, std::string(status.message()).c_str());
  std::_Exit(2);
}

std::vector<std::string> Staged(ObjectStore& objects) {
  const auto found = objects.List(StagingPrefix(kApp), "", 1000);
  Require(found.status(), "list");
  std::vector<std::string> keys;
  for (const ObjectInfo& object : *found) keys.push_back(object.key);
  return keys;
}

WorkerOptions Options() {
  WorkerOptions options;
  options.policy.half_life = absl::Hours(2);
  options.policy.old_version_weight = 0.5;
  options.batch = 3;
  options.log = [](const fleet::LogLine& line) {
    std::fprintf(stderr, "%s\n", line.text().c_str());
  };
  options.warn = options.log;
  return options;
}

void Stage(BaseStore& store, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    const absl::Time time = Beginning() + absl::Minutes(i * 37 % 720);
    const std::string bytes =
        ProfileNumber(i % 7, absl::StrCat("v", i % 3), time);
    const int64_t id = absl::ToUnixNanos(Beginning() + absl::Hours(13)) + i;
    Require(store.Stage(kApp, bytes, id).status(), "stage");
  }
}

int Main(char** argv) {
  const std::string directory = argv[1];
  const auto files = OpenObjectStore("file://" + directory + "/objects");
  Require(files.status(), "objects");
  auto versions = FileVersions::Open(directory + "/versions");
  Require(versions.status(), "versions");
  Fate fate(std::atoi(argv[4]));
  MortalObjects objects(**files, fate);
  MortalVersions mortal_versions(**versions, fate);
  BaseStore store(objects, mortal_versions);
  Stage(store, std::atoi(argv[2]), std::atoi(argv[3]));
  std::puts("staged");
  std::fflush(stdout);
  MemoryBus bus;
  for (const std::string& key : Staged(objects)) {
    for (int twice = 0; twice < 2; ++twice) {
      Require(bus.Publish(NewEvent(kUploaded, kApp, key)), "publish");
    }
  }
  HearingReader reader(bus);
  const bool is_mortal = std::atoi(argv[4]) != 0;
  Worker worker(store, reader, bus, Options());
  worker.Run([&] {
    return Staged(**files).empty() || (is_mortal && reader.is_silent());
  });
  Require(worker.Sweep(), "sweep");
  return 0;
}

}  // namespace
}  // namespace wallprof::pgo

int main(int argc, char** argv) {
  if (argc != 5) return 64;
  return wallprof::pgo::Main(argv);
}
