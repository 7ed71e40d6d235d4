// The options of verbs that merge, and the thread that does.
#ifndef WALLPROF_CLI_PGO_WORKER_OPTIONS_H_
#define WALLPROF_CLI_PGO_WORKER_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fleet/pgo/base/worker.h"
#include "fleet/serving/event_log.h"

namespace wallprof::cli {

// As given; Options() has them as the worker takes them.
class WorkerArguments {
 public:
  // Adds the options to `verb`; `*this` must outlive it.
  void AddTo(CLI::App& verb);

  // Reads the file of rules, if there is one.
  absl::StatusOr<pgo::WorkerOptions> Options(serving::EventLog& log) const;

  // Reads the file of rules again; where that fails, `worker` keeps those that
  // it has, and `log` says so.
  void Reload(pgo::Worker& worker, serving::EventLog& log) const;

 private:
  absl::StatusOr<pgo::PruneRules> ReadRules() const;

  std::string prune_;
  std::string half_life_;
  double old_version_weight_ = 1;
  std::vector<std::string> version_weights_;
  std::string sweep_period_ = "10m";
};

// Has a worker work while it lives.
class WorkerThread {
 public:
  // Both must outlive this; `stopping` becomes true with its end.
  WorkerThread(pgo::Worker& worker, std::atomic<bool>& stopping)
      : stopping_(stopping), thread_([&worker, &stopping] {
          worker.Run([&stopping] { return stopping.load(); });
        }) {}
  ~WorkerThread() {
    stopping_.store(true);
    thread_.join();
  }

 private:
  std::atomic<bool>& stopping_;
  std::thread thread_;
};

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PGO_WORKER_OPTIONS_H_
