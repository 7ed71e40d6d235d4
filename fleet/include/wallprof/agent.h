// An agent: profiles this program now and then, and sends the profiles to a
// collector that speaks profefe's API.
//
//   wallprof::AgentOptions options;
//   options.collector = "http://collector:10100";
//   options.service = "search";
//   options.labels = {{"version", "1.4.2"}};
//   auto agent = wallprof::Agent::Start(options, *profiler);
//
// Created, it profiles and sends; destroyed, it has stopped, within 200 ms.
// Whatever the collector does, the program goes on as if there were no agent.
#ifndef WALLPROF_AGENT_H_
#define WALLPROF_AGENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wallprof/profiler.h"

namespace wallprof {

using AgentLabels = std::vector<std::pair<std::string, std::string>>;

// A request to the collector, for those who send with an HTTP client of their
// own.
struct AgentRequest {
  std::string method;  // GET or POST
  std::string url;
  std::map<std::string, std::string> headers;
  std::string_view body;
  absl::Duration timeout;  // for all of it
  // Asked now and then while it lasts, best every 50 ms; true ends it.
  std::function<bool()> cancelled;
};

// What came of it.
struct AgentAnswer {
  enum class Result {
    kAnswered,  // `status`, `headers` and `body` are the collector's
    kNotSent,   // not to its end, so that it cannot have been acted upon
    kBroken,    // to its end, and there is no whole answer
  };
  Result result = Result::kNotSent;
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string error;  // a sentence, unless answered
};

// Makes one request, and blocks meanwhile. Called on a thread of the agent's
// own, which, other than those that sample, has the program's file descriptors.
using AgentExchange = std::function<AgentAnswer(const AgentRequest&)>;

// Something else to send each time, e.g. what an allocator says of the heap.
struct AgentSource {
  std::string type;  // one that the collector knows: heap, other, ...
  AgentLabels labels;
  // A profile.proto, gzipped or not; called on a thread of the agent's own.
  // Should return soon, since stopping waits for it.
  std::function<absl::StatusOr<std::string>()> take;
};

struct AgentOptions {
  // The collector's base, e.g. "http://collector:10100". https only with an
  // `exchange` that can: the library has no TLS of its own, which would meet
  // the program's.
  std::string collector;

  // A bearer token of the collector's; empty: it asks for none. It must allow
  // to write; one that allows to read as well lets the agent ask what arrived.
  std::string token;

  std::string service;

  // Of the program. `instance` is added, HOST-PID, unless it is among them; an
  // empty value leaves it out.
  AgentLabels labels;

  // From the start of one profile to that of the next, give or take a tenth, so
  // that the programs of a fleet are not profiled, nor heard, in step.
  absl::Duration interval = absl::Minutes(1);

  // How long each profile takes. Sampling never pauses, so that a longer one
  // costs nothing but its bytes.
  absl::Duration window = absl::Seconds(10);

  // Which profiles are made of each window. They are views of one measurement.
  bool wall = true;
  bool cpu = true;
  bool offcpu = false;
  bool lock_waits = false;

  std::vector<AgentSource> sources;

  // Where profiles wait while the collector is away, and when the program ends;
  // made if need be. Programs of one service can share it. Empty: they wait in
  // memory, and what waits when the program ends is lost.
  std::string spool_dir;

  // Bounds on what waits there, for all programs of the service together.
  // Beyond them the oldest are dropped.
  int64_t spool_bytes = int64_t{64} << 20;
  absl::Duration spool_age = absl::Hours(24);

  // Bound on what waits in memory: at most one send's worth where there is a
  // spool that can be written to.
  int64_t memory_bytes = int64_t{16} << 20;

  // How long one send may take.
  absl::Duration send_timeout = absl::Seconds(30);

  // Sends; empty: over plain HTTP, without a proxy.
  AgentExchange exchange;

  // Told what happens, a line each: `event=sent type=wall bytes=51234 ...`.
  // Called on a thread of the agent's own; must not block. Empty: nobody.
  std::function<void(std::string_view)> log;

  // OkStatus, or InvalidArgument naming the field and what is wrong.
  absl::Status Validate() const;
};

// What the agent did so far. Each profile taken is in the end sent, or in one
// of the others, or waits.
struct AgentStatistics {
  int64_t taken = 0;
  int64_t sent = 0;
  int64_t confirmed =
      0;                 // of those: their answer was lost, so it was asked for
  int64_t waiting = 0;   // in memory or in the spool
  int64_t adopted = 0;   // found in the spool: of programs that have ended
  int64_t left = 0;      // in the spool by stopping
  int64_t attempts = 0;  // to send
  struct Lost {
    int64_t failed = 0;    // could not be taken
    int64_t empty = 0;     // had no samples, which collectors refuse
    int64_t refused = 0;   // by the collector, with a status below 500
    int64_t overflow = 0;  // dropped as the oldest, to keep to the bounds
    int64_t expired = 0;   // older than spool_age
    int64_t unknown = 0;   // may have arrived, and nobody can say
    int64_t corrupt = 0;   // spool files that cannot be read; set aside
    int64_t stopped = 0;   // in memory when the agent stopped
  } lost;
  int64_t spool_errors = 0;  // writes that failed
  std::string last_error;    // of sending or spooling; empty once it goes well
};

class Agent {
 public:
  // Starts. Never waits for the collector, which need not be there.
  // `profiler` must outlive the result. InvalidArgument for an option that is
  // wrong; FailedPrecondition in a forked child whose profiler is off.
  // Not safe to call while another thread forks.
  static absl::StatusOr<std::unique_ptr<Agent>> Start(AgentOptions options,
                                                      Profiler& profiler);

  // Stops as Stop does. In a forked child it does nothing: the agent is the
  // parent's.
  ~Agent();

  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Ends what is under way: a profile is cut short, and it and what waits are
  // put into the spool. Idempotent. Thread-safe.
  void Stop();

  // Thread-safe.
  AgentStatistics Stats() const;

 private:
  class State;

  explicit Agent(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace wallprof

#endif  // WALLPROF_AGENT_H_
