// The worker: heeds events, and keeps the base of each application what its
// profiles add up to.
#ifndef WALLPROF_FLEET_PGO_BASE_WORKER_H_
#define WALLPROF_FLEET_PGO_BASE_WORKER_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fleet/log/log_line.h"
#include "fleet/pgo/base/base_store.h"
#include "fleet/pgo/events/bus.h"
#include "fleet/pgo/profile/accept.h"
#include "fleet/pgo/profile/policy.h"
#include "fleet/pgo/profile/prune_rules.h"

namespace wallprof::pgo {

struct WorkerOptions {
  Policy policy;
  PruneRules rules;
  AcceptLimits limits;

  // How often all that is staged is looked through for what no event told of
  // (an event can be lost with the process that should have published it), and
  // all that is kept for what nothing refers to any more. Also at the start.
  absl::Duration sweep_period = absl::Minutes(10);

  // How often the bus hears that an event is still being worked on. Buses wait
  // for half a minute or more before they give it to another.
  absl::Duration extend_period = absl::Seconds(5);

  // Profiles of one application that one new version of its base takes in.
  int batch = 256;

  // What is done, and what goes wrong. Both may be empty.
  fleet::LineLog log;
  fleet::LineLog warn;
};

// What it did since the start. Thread-safe.
struct WorkerCounts {
  int64_t merged = 0;       // profiles that became part of a base
  int64_t duplicates = 0;   // events of profiles that were part already
  int64_t quarantined = 0;  // profiles put aside
  int64_t conflicts = 0;    // versions that another worker was quicker with
  int64_t deleted = 0;      // staged profiles removed after merging
  int64_t failures = 0;     // tries that come again
};

class Worker {
 public:
  // All must outlive the worker.
  Worker(BaseStore& store, EventReader& reader, EventWriter& writer,
         WorkerOptions options);
  ~Worker();

  // Heeds events until `stopping` says so, which is asked ten times a second.
  // Nothing that goes wrong ends it: engines that are away are waited for,
  // events that make no sense are told and done with.
  void Run(const std::function<bool()>& stopping);

  // One look through everything, as at the start.
  absl::Status Sweep();

  // Other rules, for bases that change from here on. Thread-safe.
  void SetRules(PruneRules rules);

  WorkerCounts counts() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_BASE_WORKER_H_
