#include "fleet/pgo/base/worker.h"

#include <atomic>
#include <memory>

#include "cli/pgo/daemon_options.h"
#include "cli/pgo/engine_options.h"
#include "cli/pgo/verb.h"
#include "cli/pgo/worker_options.h"
#include "cli/settings.h"
#include "fleet/pgo/server/worker_metrics.h"

namespace wallprof::cli {
namespace {

constexpr int kPort = 8081;

struct Arguments {
  PgoDaemonArguments daemon;
  EngineArguments engines;
  WorkerArguments worker;
};

absl::Status Run(const Arguments& arguments) {
  auto daemon = arguments.daemon.NewDaemon();
  if (!daemon.ok()) return daemon.status();
  serving::EventLog& log = (*daemon)->log();
  auto options = arguments.worker.Options(log);
  if (!options.ok()) return options.status();
  // With the end, what waits for objects ends at once.
  std::atomic<bool> stopping{false};
  auto engines =
      arguments.engines.Open([&stopping] { return stopping.load(); });
  if (!engines.ok()) return engines.status();
  pgo::Health health;
  engines->AddTo(health);
  pgo::Worker worker(*engines->store, *engines->reader, *engines->writer,
                     *std::move(options));
  pgo::AddWorkerMetrics(worker, (*daemon)->metrics());
  const WorkerThread thread(worker, stopping);
  pgo::HealthApi api(health);
  return arguments.daemon.Run(**daemon, api, health,
                              "merging profiles for builds, health",
                              [&] { arguments.worker.Reload(worker, log); });
}

}  // namespace

void AddPgoWorker(CLI::App& group, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddPgoVerb(
      group, "worker",
      "Merges the profiles that servers have taken; any number of them may. "
      "Ends with SIGTERM",
      exit_status, [arguments] { return Run(*arguments); });
  AddConfigFile(*verb);
  arguments->engines.AddTo(*verb, /*reads=*/true);
  arguments->worker.AddTo(*verb);
  arguments->daemon.AddTo(*verb, kPort);
}

}  // namespace wallprof::cli
