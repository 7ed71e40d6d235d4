#include "fleet/pgo/server/server.h"

#include <memory>

#include "cli/pgo/daemon_options.h"
#include "cli/pgo/engine_options.h"
#include "cli/pgo/verb.h"
#include "cli/settings.h"

namespace wallprof::cli {
namespace {

constexpr int kPort = 8080;

struct Arguments {
  PgoDaemonArguments daemon;
  EngineArguments engines;
};

absl::Status Run(const Arguments& arguments) {
  auto daemon = arguments.daemon.NewDaemon();
  if (!daemon.ok()) return daemon.status();
  serving::EventLog& log = (*daemon)->log();
  auto engines = arguments.engines.Open({});
  if (!engines.ok()) return engines.status();
  pgo::Health health;
  engines->AddTo(health);
  pgo::ServerOptions options;
  options.log = [&log](const fleet::LogLine& line) { log.Info(line); };
  options.warn = [&log](const fleet::LogLine& line) { log.Warn(line); };
  pgo::Server server(*engines->store, *engines->writer, health,
                     (*daemon)->metrics(), options);
  return arguments.daemon.Run(**daemon, server, health,
                              "serving profiles for builds", {});
}

}  // namespace

void AddPgoServer(CLI::App& group, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddPgoVerb(
      group, "server",
      "Takes profiles to be merged, and hands out what they come to. Ends with "
      "SIGTERM",
      exit_status, [arguments] { return Run(*arguments); });
  AddConfigFile(*verb);
  arguments->engines.AddTo(*verb, /*reads=*/false);
  arguments->daemon.AddTo(*verb, kPort);
}

}  // namespace wallprof::cli
