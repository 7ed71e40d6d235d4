#include <cmath>
#include <memory>
#include <string>

#include "cli/daemon_options.h"
#include "cli/self_profile.h"
#include "cli/settings.h"
#include "cli/store_options.h"
#include "cli/verb.h"
#include "fleet/collector/collector.h"
#include "fleet/collector/store_metrics.h"
#include "fleet/serving/daemon.h"
#include "fleet/store/profile_store.h"

namespace wallprof::cli {
namespace {

constexpr char kMetrics[] = "wallprof_collector";

struct Arguments {
  DaemonArguments daemon;
  StoreArguments store;
  collector::Limits limits;
  std::string query_timeout = absl::FormatDuration(limits.query_time);
};

absl::Status Run(const Arguments& arguments) {
  const serving::DaemonOptions daemon_options =
      arguments.daemon.Options(kMetrics);
  store::StoreOptions store_options = arguments.store.Options();
  auto daemon = serving::Daemon::Create(daemon_options);
  if (!daemon.ok()) return daemon.status();
  serving::EventLog& log = (*daemon)->log();
  store_options.log = [&log](const fleet::LogLine& line) { log.Info(line); };
  auto store = store::OpenProfileStore(store_options);
  if (!store.ok()) return store.status();

  collector::CollectorOptions options;
  options.limits = arguments.limits;
  options.limits.body_bytes = daemon_options.max_body_bytes;
  options.limits.query_time = DurationOf(arguments.query_timeout);
  options.limits.age = store_options.retention.max_age;
  options.version = {WALLPROF_VERSION, WALLPROF_COMMIT, ""};
  collector::Collector collector(**store, options);
  collector::AddStoreMetrics(**store, kMetrics, (*daemon)->metrics());
  serving::Daemon::Hooks hooks;
  hooks.ready = [&store] { return (*store)->Check(); };
  hooks.announce = [](const std::string& url) { Announce("collecting", url); };
  SelfProfile api(collector);
  if (!api.status().ok()) {
    log.Warn(fleet::LogLine("no_self_profile")
                 .Add("why", std::string(api.status().message())));
  }
  return (*daemon)->Run(api, hooks);
}

void AddLimits(CLI::App& verb, Arguments& a) {
  static constexpr char kGroup[] = "Limits";
  const auto add = [&verb](const char* name, int64_t& limit, const char* what) {
    verb.add_option(name, limit, what)
        ->capture_default_str()
        ->check(CLI::PositiveNumber)
        ->group(kGroup);
  };
  add("--max-samples", a.limits.samples, "Stacks in a profile");
  add("--max-depth", a.limits.depth, "Frames in a stack");
  add("--max-labels", a.limits.labels, "Labels of a profile, and of a sample");
  add("--max-series", a.limits.series,
      "Combinations of service, type and labels");
  add("--max-merge", a.limits.merged,
      "Profiles added up for one answer; of more, some of each series are "
      "chosen, evenly over the time");
  add("--max-queries", a.limits.queries, "Such answers at once");
  verb.add_option("--query-timeout", a.query_timeout,
                  "How long profiles are added up before the answer is what "
                  "there is, and says so")
      ->capture_default_str()
      ->check(CheckDuration)
      ->group(kGroup);
}

}  // namespace

void AddCollect(CLI::App& program, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddVerb(
      program, "collect",
      "Takes the profiles that agents send, keeps them, and answers what a "
      "fleet did. Ends with SIGTERM",
      exit_status, [arguments] { return Run(*arguments); });
  AddConfigFile(*verb);
  arguments->store.AddTo(*verb);
  arguments->daemon.AddTo(*verb, "127.0.0.1:10100");
  AddLimits(*verb, *arguments);
  AddVariables(*verb, {"WALLPROF_COLLECT_"});
}

}  // namespace wallprof::cli
