#include <iostream>
#include <memory>

#include "absl/time/clock.h"
#include "cli/pgo/base_table.h"
#include "cli/pgo/client_options.h"
#include "cli/pgo/verb.h"

namespace wallprof::cli {
namespace {

absl::Status List(const ClientArguments& arguments) {
  const auto client = arguments.NewClient();
  if (!client.ok()) return client.status();
  const auto bases = (*client)->List();
  if (!bases.ok()) return bases.status();
  std::cout << BaseTable(*bases, absl::Now()) << std::flush;
  return std::cout ? absl::OkStatus()
                   : absl::UnavailableError("cannot write to standard output");
}

}  // namespace

void AddPgoList(CLI::App& group, int& exit_status) {
  auto arguments = std::make_shared<ClientArguments>();
  CLI::App* verb = AddPgoVerb(
      group, "list", "Shows which programs have a profile, how large and old",
      exit_status, [arguments] { return List(*arguments); });
  arguments->AddTo(*verb);
  arguments->AddLogLevelTo(*verb);
}

}  // namespace wallprof::cli
