#include "cli/pgo/worker_options.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/profile_file.h"
#include "cli/settings.h"
#include "fleet/log/log_line.h"

namespace wallprof::cli {
namespace {

using fleet::LogLine;

// "v1.2=0.5"; the last '=', since versions may have some.
bool ReadWeight(const std::string& text, std::string& version, double& weight) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return false;
  version = text.substr(0, equals);
  return absl::SimpleAtod(text.substr(equals + 1), &weight) && weight >= 0 &&
         weight <= 1;
}

std::string CheckWeight(const std::string& text) {
  std::string version;
  double weight = 0;
  return ReadWeight(text, version, weight)
             ? ""
             : absl::StrCat(text,
                            " is not VERSION=WEIGHT with a weight of 0 to 1");
}

}  // namespace

void WorkerArguments::AddTo(CLI::App& verb) {
  constexpr char kGroup[] = "What counts";
  verb.add_option("--prune", prune_,
                  "JSON file of rules by which code is left out; read again "
                  "with SIGHUP")
      ->type_name("FILE")
      ->group(kGroup);
  verb.add_option("--half-life", half_life_,
                  "A profile counts half as much as one that was taken so much "
                  "later, as 168h; without it all count the same")
      ->check(CheckDuration)
      ->group(kGroup);
  verb.add_option("--old-version-weight", old_version_weight_,
                  "What profiles of all versions but the newest count for, 0 "
                  "to 1")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0))
      ->group(kGroup);
  verb.add_option("--version-weight", version_weights_,
                  "VERSION=WEIGHT: what those of one version, or of one build "
                  "id, count for instead, 0 to 1; several may be given, or "
                  "joined by commas")
      ->delimiter(',')
      ->type_name("VERSION=WEIGHT")
      ->check(CheckWeight)
      ->group(kGroup);
  verb.add_option("--sweep-period", sweep_period_,
                  "How often everything that is kept is looked through for "
                  "profiles whose event was lost, and for what is not needed "
                  "any more; at the start, too")
      ->capture_default_str()
      ->check(CheckDuration)
      ->group(kGroup);
}

absl::StatusOr<pgo::PruneRules> WorkerArguments::ReadRules() const {
  if (prune_.empty()) return pgo::PruneRules();
  const auto text = ReadBytes(prune_);
  if (!text.ok()) {
    return absl::Status(text.status().code(),
                        absl::StrCat(prune_, ": ", text.status().message()));
  }
  return pgo::PruneRules::Parse(*text, prune_);
}

absl::StatusOr<pgo::WorkerOptions> WorkerArguments::Options(
    serving::EventLog& log) const {
  auto rules = ReadRules();
  if (!rules.ok()) return rules.status();
  pgo::WorkerOptions options;
  options.rules = *std::move(rules);
  if (!half_life_.empty()) options.policy.half_life = DurationOf(half_life_);
  options.policy.old_version_weight = old_version_weight_;
  for (const std::string& text : version_weights_) {
    std::string version;
    double weight = 0;
    ReadWeight(text, version, weight);  // was checked with the arguments
    options.policy.version_weights[version] = weight;
  }
  // What no check of one option finds: numbers that are none, or without end.
  if (absl::Status s = pgo::CheckPolicy(options.policy); !s.ok()) return s;
  options.sweep_period = DurationOf(sweep_period_);
  options.log = [&log](const LogLine& line) { log.Info(line); };
  options.warn = [&log](const LogLine& line) { log.Warn(line); };
  return options;
}

void WorkerArguments::Reload(pgo::Worker& worker,
                             serving::EventLog& log) const {
  if (prune_.empty()) return;
  auto rules = ReadRules();
  if (rules.ok()) {
    worker.SetRules(*std::move(rules));
    log.Info(LogLine("reloaded").Add("what", "prune rules"));
  } else {
    log.Error(LogLine("not_reloaded")
                  .Add("what", "prune rules")
                  .Add("error", std::string(rules.status().message()))
                  .Add("instead", "what was read before"));
  }
}

}  // namespace wallprof::cli
