// A collector, as profefe's API has it.
#ifndef WALLPROF_FLEET_AGENT_COLLECTOR_H_
#define WALLPROF_FLEET_AGENT_COLLECTOR_H_

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "fleet/agent/clock.h"
#include "fleet/agent/parcel.h"
#include "wallprof/agent.h"

namespace wallprof::agent {

// For one thread.
class Collector {
 public:
  // `base` is its URL, `exchange` what reaches it. `cancelled` ends requests.
  Collector(std::string base, AgentExchange exchange, absl::Duration timeout,
            const Clock& clock, std::function<bool()> cancelled);

  enum class Outcome {
    kTaken,    // it has it
    kRefused,  // it will never take it
    kLater,    // it does not have it; to be tried again
    kUnsure,   // it may have it: the connection broke before the answer
  };
  struct Reply {
    Outcome outcome = Outcome::kLater;
    int status = 0;              // of HTTP; 0: no answer
    absl::Duration retry_after;  // not to be tried again before
    std::string text;            // what it said, or what went wrong
  };

  Reply Send(const Parcel& parcel);

  enum class Presence {
    kThere,
    kNotThere,
    kUnknown,  // it cannot be asked that
    kLater,    // it did not answer
  };

  // Whether it has `parcel`. `reply` takes what went wrong.
  Presence Find(const Parcel& parcel, Reply& reply);

 private:
  AgentAnswer Exchange(const std::string& method, const std::string& path,
                       std::string_view body, const std::string& id);
  bool Learn(Reply& reply);
  bool Describe(const Parcel& parcel, std::string& type, AgentLabels& labels,
                Reply& reply);

  const std::string base_;
  const AgentExchange exchange_;
  const absl::Duration timeout_;
  const Clock& clock_;
  const std::function<bool()> cancelled_;

  // Types of ours that it knows; nullopt: not asked since it was last away.
  std::optional<std::set<std::string>> own_types_;
  absl::Time ask_again_;
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_COLLECTOR_H_
