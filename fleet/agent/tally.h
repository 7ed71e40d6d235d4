// The agent's counters, which several threads write.
#ifndef WALLPROF_FLEET_AGENT_TALLY_H_
#define WALLPROF_FLEET_AGENT_TALLY_H_

#include <mutex>

#include "wallprof/agent.h"

namespace wallprof::agent {

// Thread-safe.
class Tally {
 public:
  // Has `change(statistics)` done.
  template <typename Change>
  void Update(const Change& change) {
    std::lock_guard lock(mutex_);
    change(statistics_);
  }

  AgentStatistics Get() const {
    std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  mutable std::mutex mutex_;
  AgentStatistics statistics_;
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_TALLY_H_
