// Engines in memory, which do as they are told, and the profiles that go
// through them.
#ifndef WALLPROF_TESTS_FLEET_PGO_BASE_SIMULATED_H_
#define WALLPROF_TESTS_FLEET_PGO_BASE_SIMULATED_H_

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fleet/pgo/base/base_store.h"
#include "fleet/pgo/base/worker.h"
#include "fleet/pgo/events/memory_bus.h"
#include "fleet/pgo/versions/base_versions.h"
#include "wallprof/object_store.h"

namespace wallprof::pgo {

// Each call of an engine asks one before it does anything and once more when
// it has done it; what is not ok is what the caller gets.
using Fault = std::function<absl::Status(std::string_view call,
                                         std::string_view key, bool done)>;

class MemoryObjects : public ObjectStore {
 public:
  absl::Status Put(std::string_view key, std::string_view bytes) override;
  absl::StatusOr<std::string> Get(std::string_view key,
                                  size_t max_bytes) override;
  absl::StatusOr<std::string> GetRange(std::string_view key, int64_t offset,
                                       int64_t bytes) override;
  absl::Status Delete(std::string_view key) override;
  absl::StatusOr<std::vector<ObjectInfo>> List(std::string_view prefix,
                                               std::string_view after,
                                               int limit) override;

  void SetFault(Fault fault);
  std::vector<std::string> Keys(std::string_view prefix = "");
  // How old an object looks.
  void SetModified(const std::string& key, absl::Time modified);
  std::map<std::string, int> calls();  // by name

 private:
  struct Object {
    std::string bytes;
    absl::Time modified;
  };
  absl::Status Ask(const char* call, std::string_view key, bool done);

  std::mutex mutex_;
  std::map<std::string, Object, std::less<>> objects_;
  std::map<std::string, int> calls_;
  Fault fault_;
};

class MemoryVersions : public BaseVersions {
 public:
  absl::StatusOr<BaseVersion> Get(std::string_view app) override;
  absl::StatusOr<uint64_t> Replace(std::string_view app, uint64_t revision,
                                   std::string_view record) override;
  absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>> List()
      override;
  absl::Status Check() override { return absl::OkStatus(); }

  void SetFault(Fault fault);

 private:
  absl::Status Ask(const char* call, std::string_view app, bool done);

  std::mutex mutex_;
  std::map<std::string, BaseVersion, std::less<>> versions_;
  uint64_t last_ = 0;
  Fault fault_;
};

// One call in `one_in` fails before it is done, or after; some take their time.
Fault RandomFaults(unsigned seed, int one_in);

// A bus that delivers some events twice, and late.
class UnrulyBus : public EventWriter, public EventReader {
 public:
  explicit UnrulyBus(unsigned seed) : random_(seed) {}

  absl::Status Publish(const Event& event) override;
  absl::StatusOr<std::unique_ptr<Delivery>> Receive(
      absl::Duration patience, const std::function<bool()>& cancelled) override;
  absl::Status Check() override { return absl::OkStatus(); }

  void SetFault(Fault fault);
  int published(std::string_view type);

 private:
  MemoryBus bus_;
  std::mutex mutex_;
  std::mt19937 random_;
  Fault fault_;
  std::map<std::string, int, std::less<>> published_;
};

// A server, workers and what they share.
struct Site {
  MemoryObjects objects;
  MemoryVersions versions;
  UnrulyBus bus{7};
  BaseStore store{objects, versions};

  // Stages a profile and says so, as the server does.
  void Upload(std::string_view app, std::string_view bytes, int64_t id);

  // Lets `count` workers run until nothing is staged and `until`, if it is
  // there, says so. The sum of what they count.
  WorkerCounts Work(int count, const std::function<WorkerOptions()>& options,
                    const std::function<bool()>& until = {});

  // "app/parts/*" and so on: what there is, without the numbers in the names.
  std::vector<std::string> Kinds();
};

// The accepted profile number `i` of a program that changes little: `version`
// is its build, `time` when it was taken.
std::string ProfileNumber(int i, std::string_view version, absl::Time time);

// When the first of them is taken.
absl::Time Beginning();

inline constexpr size_t kAny = size_t{64} << 20;

}  // namespace wallprof::pgo

#endif  // WALLPROF_TESTS_FLEET_PGO_BASE_SIMULATED_H_
