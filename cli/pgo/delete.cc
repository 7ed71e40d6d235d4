#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/pgo/client_options.h"
#include "cli/pgo/verb.h"

namespace wallprof::cli {
namespace {

struct Arguments {
  ClientArguments client;
  std::string app;
};

absl::Status Delete(const Arguments& arguments) {
  const auto client = arguments.client.NewClient();
  if (!client.ok()) return client.status();
  absl::Status deleted = (*client)->Delete(arguments.app);
  if (!deleted.ok()) return deleted;
  arguments.client.Tell(absl::StrCat("deleted ", arguments.app));
  return absl::OkStatus();
}

}  // namespace

void AddPgoDelete(CLI::App& group, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb =
      AddPgoVerb(group, "delete",
                 "Deletes a program's profile, and what was sent for it and is "
                 "not merged yet",
                 exit_status, [arguments] { return Delete(*arguments); });
  AddAppArgument(*verb, arguments->app);
  arguments->client.AddTo(*verb);
  arguments->client.AddLogLevelTo(*verb);
}

}  // namespace wallprof::cli
