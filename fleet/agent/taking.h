// The profiles that an agent takes of its own program.
#ifndef WALLPROF_FLEET_AGENT_TAKING_H_
#define WALLPROF_FLEET_AGENT_TAKING_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "fleet/agent/parcel.h"
#include "fleet/agent/stop.h"
#include "fleet/agent/tally.h"
#include "wallprof/agent.h"
#include "wallprof/profiler.h"

namespace wallprof::agent {

// An id that no other profile has.
std::string NewParcelId();

// For one thread, which is one of the profiler's own.
class Taking {
 public:
  // All but `labels` must outlive it. `stop` cuts a profile short.
  Taking(const AgentOptions& options, AgentLabels labels, Profiler& profiler,
         const Stop& stop, Tally& tally);

  using Use = std::function<void(Parcel)>;

  // Measures one window, and gives `use` each profile of it.
  void TakeAll(const Use& use);

 private:
  void TakeSource(const AgentSource& source, const Use& use);
  void Give(const std::string& type, absl::StatusOr<Profile> profile,
            const Use& use);
  void Failed(const std::string& type, const absl::Status& status);

  const AgentOptions& options_;
  const AgentLabels labels_;
  Profiler& profiler_;
  const Stop& stop_;
  Tally& tally_;
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_TAKING_H_
