// Time and a collector that tests move and break as they like.
#ifndef WALLPROF_TESTS_FLEET_AGENT_SIMULATED_H_
#define WALLPROF_TESTS_FLEET_AGENT_SIMULATED_H_

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fleet/agent/clock.h"
#include "fleet/agent/collector.h"
#include "fleet/agent/outbox.h"
#include "fleet/agent/parcel.h"
#include "fleet/agent/sender.h"
#include "fleet/agent/tally.h"
#include "wallprof/agent.h"

namespace wallprof::agent {

// Stands still but for Advance. Begins now, since files have their times from
// the real clock.
class SimulatedClock : public Clock {
 public:
  absl::Time Now() const override { return now_; }
  absl::Time Steady() const override { return steady_; }
  void Advance(absl::Duration by) {
    now_ += by;
    steady_ += by;
  }
  void Set(absl::Time now) { now_ = now; }

 private:
  absl::Time now_ = absl::Now();
  absl::Time steady_ = absl::UnixEpoch();
};

// A collector in memory, which answers as profefe's does.
class SimulatedCollector {
 public:
  struct Stored {
    std::string id;  // the agent's
    std::map<std::string, std::string> query;
    std::string body;
  };

  // What happens to a request instead of its answer.
  enum class Fault {
    kNone,
    kNoConnection,
    kLost,       // it is done, but the answer does not come
    kDropped,    // it was sent, and nothing is done
    kError,      // 500
    kTooLarge,   // 413
    kThrottled,  // 429, Retry-After: 600
    kGateway,    // 502
    kWebPage,    // 200 of somebody else's
  };

  AgentExchange exchange();

  // For requests from now on, while it is not empty; then `fault`.
  std::deque<Fault> faults;
  Fault fault = Fault::kNone;
  // Of the parcel of this id, always.
  std::map<std::string, Fault> fault_of;
  std::set<std::string> types;  // that it says it knows
  bool can_list = true;

  std::vector<Stored> stored;
  std::vector<std::string> requests;  // method and URL

 private:
  AgentAnswer Answer(const AgentRequest& request);
  AgentAnswer Do(const AgentRequest& request);
  AgentAnswer Find(const std::map<std::string, std::string>& query) const;
};

// A directory that is gone after the test.
class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  // Names of files of the service "svc" that end so, in order.
  std::vector<std::string> Files(const std::string& suffix) const;
  int64_t Bytes() const;

 private:
  std::string path_;
};

// An agent's parts without its threads.
struct SimulatedAgent {
  SimulatedAgent(SimulatedClock& clock, SimulatedCollector& collector,
                 OutboxOptions options);

  // One parcel of `bytes`, created now.
  std::string Put(const std::string& type = "cpu", size_t bytes = 100);
  // Sends what is to be sent until then, moving the clock there.
  void RunUntil(absl::Time steady);
  void RunFor(absl::Duration time) { RunUntil(clock.Steady() + time); }

  SimulatedClock& clock;
  Tally tally;
  std::vector<std::string> log;
  Outbox outbox;
  Collector client;
  Sender sender;
  bool stopped = false;
};

OutboxOptions InMemory();
OutboxOptions Spooled(const std::string& directory);

}  // namespace wallprof::agent

#endif  // WALLPROF_TESTS_FLEET_AGENT_SIMULATED_H_
