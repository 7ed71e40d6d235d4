#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/pgo/daemon_options.h"
#include "cli/pgo/running_scraper.h"
#include "cli/pgo/scrape_options.h"
#include "cli/pgo/verb.h"
#include "cli/pgo/worker_options.h"
#include "cli/settings.h"
#include "fleet/files/files.h"
#include "fleet/pgo/base/base_store.h"
#include "fleet/pgo/events/memory_bus.h"
#include "fleet/pgo/scrape/sources/file_targets.h"
#include "fleet/pgo/server/server.h"
#include "fleet/pgo/server/worker_metrics.h"
#include "fleet/pgo/versions/file_versions.h"
#include "wallprof/object_store.h"

namespace wallprof::cli {
namespace {

constexpr int kPort = 8080;

struct Arguments {
  PgoDaemonArguments daemon;
  WorkerArguments worker;
  ScrapeArguments scrape;
  std::string directory;
  std::string targets;
};

// What a directory has. The lock is held as long as this lives.
struct Directory {
  fleet::File lock;
  std::unique_ptr<ObjectStore> objects;
  std::unique_ptr<pgo::BaseVersions> versions;
};

absl::StatusOr<Directory> Open(const std::string& path) {
  Directory directory;
  // Of two that merge here each has its own bus, and knows nothing of what the
  // other was sent.
  auto lock = fleet::LockDirectory(path);
  if (!lock.ok()) return lock.status();
  directory.lock = *std::move(lock);
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(path, error);
  if (error) return fleet::FileError(error.value(), path);
  auto objects = OpenObjectStore(absl::StrCat("file://", absolute, "/objects"));
  if (!objects.ok()) return objects.status();
  directory.objects = *std::move(objects);
  auto versions = pgo::FileVersions::Open(absl::StrCat(absolute, "/versions"));
  if (!versions.ok()) return versions.status();
  directory.versions = *std::move(versions);
  return directory;
}

absl::StatusOr<std::unique_ptr<pgo::TargetSource>> OpenTargets(
    const Arguments& arguments) {
  if (arguments.targets.empty()) return nullptr;
  if (!arguments.scrape.is_complete()) {
    throw CLI::RequiredError("--targets needs --app and --sample-size",
                             CLI::ExitCodes::RequiredError);
  }
  return pgo::FileTargets::Open(arguments.targets);
}

// Scrapes what `targets` says, and gives it to the server.
std::unique_ptr<RunningScraper> NewScraper(const Arguments& arguments,
                                           pgo::TargetSource& targets,
                                           pgo::Server& server,
                                           serving::Daemon& daemon,
                                           std::atomic<bool>& stopping) {
  const auto upload = [&server](std::string_view app, std::string_view bytes,
                                std::string_view version, int64_t id) {
    return server.Take({app, bytes, version, id, "scraper"}).status();
  };
  return std::make_unique<RunningScraper>(
      targets, upload, arguments.scrape.Options(daemon.log()), daemon.metrics(),
      stopping);
}

absl::Status Run(const Arguments& arguments) {
  auto targets = OpenTargets(arguments);
  if (!targets.ok()) return targets.status();
  auto daemon = arguments.daemon.NewDaemon();
  if (!daemon.ok()) return daemon.status();
  serving::EventLog& log = (*daemon)->log();
  auto worker_options = arguments.worker.Options(log);
  if (!worker_options.ok()) return worker_options.status();
  auto directory = Open(arguments.directory);
  if (!directory.ok()) return directory.status();
  pgo::BaseStore store(*directory->objects, *directory->versions);
  pgo::MemoryBus bus;
  pgo::Health health;
  health.Add("blob", [&objects = *directory->objects] {
    return objects.List("", "", 1).status();
  });
  health.Add("versions", [&directory] { return directory->versions->Check(); });

  pgo::Worker worker(store, bus, bus, *std::move(worker_options));
  pgo::AddWorkerMetrics(worker, (*daemon)->metrics());
  std::atomic<bool> stopping{false};
  const WorkerThread thread(worker, stopping);
  pgo::ServerOptions options;
  options.log = [&log](const fleet::LogLine& line) { log.Info(line); };
  options.warn = [&log](const fleet::LogLine& line) { log.Warn(line); };
  pgo::Server server(store, bus, health, (*daemon)->metrics(), options);
  std::unique_ptr<RunningScraper> scraper;
  if (*targets != nullptr) {
    health.Add((*targets)->name(), [&] { return (*targets)->Check(); });
    scraper = NewScraper(arguments, **targets, server, **daemon, stopping);
  }
  return arguments.daemon.Run(**daemon, server, health,
                              "serving profiles for builds", [&] {
                                arguments.worker.Reload(worker, log);
                                if (scraper != nullptr) scraper->Reload();
                              });
}

}  // namespace

void AddPgoServe(CLI::App& group, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddPgoVerb(
      group, "serve",
      "Server, worker and, with --targets, scraper in one process, over one "
      "directory. Ends with SIGTERM",
      exit_status, [arguments] { return Run(*arguments); });
  AddConfigFile(*verb);
  verb->add_option("--dir", arguments->directory,
                   "Directory of everything that is kept; made if it is "
                   "missing")
      ->type_name("DIR")
      ->required();
  verb->add_option("--targets", arguments->targets,
                   "JSON file of programs to scrape, as that of pgo scrape; "
                   "read again when it changes")
      ->type_name("FILE");
  arguments->scrape.AddTo(*verb, /*is_required=*/false);
  arguments->worker.AddTo(*verb);
  arguments->daemon.AddTo(*verb, kPort);
}

}  // namespace wallprof::cli
