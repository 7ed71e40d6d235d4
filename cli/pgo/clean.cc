#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/pgo/client_options.h"
#include "cli/pgo/verb.h"
#include "cli/settings.h"

namespace wallprof::cli {
namespace {

struct Arguments {
  ClientArguments client;
  std::string older_than;   // empty: of any age
  int64_t larger_than = 0;  // 0: of any size
  bool dry_run = false;
};

bool IsCleaned(const Arguments& arguments, const pgo::BaseInfo& base,
               absl::Time now) {
  return (!arguments.older_than.empty() &&
          now - base.modified > DurationOf(arguments.older_than)) ||
         (arguments.larger_than > 0 && base.bytes > arguments.larger_than);
}

absl::Status Clean(const Arguments& arguments) {
  if (arguments.older_than.empty() && arguments.larger_than == 0) {
    throw CLI::RequiredError("one of --older-than or --larger-than must be set",
                             CLI::ExitCodes::RequiredError);
  }
  const auto client = arguments.client.NewClient();
  if (!client.ok()) return client.status();
  const auto bases = (*client)->List();
  if (!bases.ok()) return bases.status();
  const absl::Time now = absl::Now();
  absl::Status first_failure;
  for (const pgo::BaseInfo& base : *bases) {
    if (!IsCleaned(arguments, base, now)) continue;
    if (arguments.dry_run) {
      std::cout << "Would delete profile '" << base.app << "'" << std::endl;
      continue;
    }
    const absl::Status deleted = (*client)->Delete(base.app);
    if (deleted.ok()) {
      std::cout << "Deleted profile '" << base.app << "'" << std::endl;
    } else if (!absl::IsNotFound(deleted)) {  // another was quicker
      std::cerr << "wallprof: " << base.app << ": " << deleted.message()
                << std::endl;
      first_failure.Update(absl::UnavailableError(
          absl::StrCat("not all could be deleted: ", base.app, " is first")));
    }
  }
  return first_failure;
}

}  // namespace

void AddPgoClean(CLI::App& group, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddPgoVerb(
      group, "clean",
      "Deletes the profiles that are old or large; with both, those that are "
      "one or the other",
      exit_status, [arguments] { return Clean(*arguments); });
  verb->add_option("-d,--older-than", arguments->older_than,
                   "Deletes what has not changed for longer, as 24h")
      ->check(CheckDuration);
  verb->add_option("-s,--larger-than", arguments->larger_than,
                   "Deletes what has more bytes")
      ->check(CLI::PositiveNumber);
  verb->add_flag("--dry-run", arguments->dry_run,
                 "Says what would be deleted, and deletes nothing");
  arguments->client.AddTo(*verb);
  arguments->client.AddLogLevelTo(*verb);
}

}  // namespace wallprof::cli
