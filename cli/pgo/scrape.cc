#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "cli/pgo/client_options.h"
#include "cli/pgo/daemon_options.h"
#include "cli/pgo/running_scraper.h"
#include "cli/pgo/scrape_options.h"
#include "cli/pgo/verb.h"
#include "cli/settings.h"
#include "fleet/pgo/scrape/sources/open.h"

namespace wallprof::cli {
namespace {

constexpr int kPort = 8082;

struct Arguments {
  PgoDaemonArguments daemon;
  ClientArguments client;
  ScrapeArguments scrape;
  std::string mode = "file";
  std::string argument;
};

const std::map<std::string, pgo::SourceKind>& Modes() {
  static const auto& modes = *new std::map<std::string, pgo::SourceKind>{
      {"file", pgo::SourceKind::kFile},
      {"kube", pgo::SourceKind::kKubernetes},
      {"nomad", pgo::SourceKind::kNomad},
      {"consul", pgo::SourceKind::kConsul}};
  return modes;
}

pgo::SourceOptions SourceOptionsOf(const Arguments& arguments,
                                   serving::EventLog& log) {
  pgo::SourceOptions options;
  options.app = arguments.scrape.app();
  options.variable = [](const char* name) {
    const char* value = getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  options.warn = [&log](const fleet::LogLine& line) { log.Warn(line); };
  return options;
}

// What only shows in several arguments together.
void CheckTogether(const Arguments& arguments) {
  const pgo::SourceKind kind = Modes().at(arguments.mode);
  if (kind == pgo::SourceKind::kFile && arguments.argument.empty()) {
    throw CLI::ValidationError(
        "target_file", "with --mode file there must be a file of targets");
  }
  if ((kind == pgo::SourceKind::kNomad || kind == pgo::SourceKind::kConsul) &&
      !arguments.argument.empty()) {
    throw CLI::ValidationError(
        arguments.argument, "with --mode " + arguments.mode +
                                " there is no file; variables say where it is");
  }
}

absl::Status Run(const Arguments& arguments) {
  CheckTogether(arguments);
  auto daemon = arguments.daemon.NewDaemon();
  if (!daemon.ok()) return daemon.status();
  std::atomic<bool> ending{false};
  const auto is_ending = [&ending] { return ending.load(); };

  pgo::SourceOptions source_options =
      SourceOptionsOf(arguments, (*daemon)->log());
  source_options.cancelled = is_ending;
  const auto source =
      pgo::OpenTargets(Modes().at(arguments.mode), arguments.argument,
                       std::move(source_options));
  if (!source.ok()) return source.status();
  pgo::ClientOptions client_options = arguments.client.Options();
  client_options.cancelled = is_ending;
  const auto client = pgo::Client::Create(std::move(client_options));
  if (!client.ok()) return client.status();

  pgo::Health health;
  health.Add((*source)->name(), [&source] { return (*source)->Check(); });
  health.Add("server", [&client] { return (*client)->Check(); });
  pgo::HealthApi api(health);
  RunningScraper scraper(
      **source,
      [&client](std::string_view app, std::string_view bytes,
                std::string_view version, int64_t id) {
        return (*client)->Upload(app, bytes, version, id).status();
      },
      arguments.scrape.Options((*daemon)->log()), (*daemon)->metrics(), ending);
  return arguments.daemon.Run(
      **daemon, api, health, "scraping", [&scraper] { scraper.Reload(); },
      [&ending] { ending = true; });
}

void AddWhat(CLI::App& verb, Arguments& a) {
  verb.add_option("target_file", a.argument,
                  "File of targets; with --mode kube a kubeconfig, without "
                  "which it is the cluster that this runs in")
      ->type_name("TARGET_FILE|KUBE_CONFIG");
  verb.add_option("-m,--mode", a.mode,
                  "Where targets are known: file, kube, nomad or consul")
      ->capture_default_str()
      ->check(CLI::IsMember({"file", "kube", "nomad", "consul"}));
}

}  // namespace

void AddPgoScrape(CLI::App& group, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddPgoVerb(
      group, "scrape",
      "Profiles some of a program's instances now and then, and sends the "
      "profiles to a server. SIGHUP has the targets read again; ends with "
      "SIGTERM",
      exit_status, [arguments] { return Run(*arguments); });
  AddConfigFile(*verb);
  AddWhat(*verb, *arguments);
  arguments->scrape.AddTo(*verb, /*is_required=*/true);
  arguments->client.AddTo(*verb);
  arguments->daemon.AddTo(*verb, kPort);
}

}  // namespace wallprof::cli
