#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/pgo/client_options.h"
#include "cli/pgo/verb.h"
#include "cli/profile_file.h"

namespace wallprof::cli {
namespace {

struct Arguments {
  ClientArguments client;
  std::string app;
  std::string file;
  std::string version;
};

absl::Status Upload(const Arguments& arguments) {
  const auto client = arguments.client.NewClient();
  if (!client.ok()) return client.status();
  const auto bytes = ReadBytes(arguments.file);
  if (!bytes.ok()) {
    return absl::Status(
        bytes.status().code(),
        absl::StrCat(arguments.file, ": ", bytes.status().message()));
  }
  // Two that are sent are two, although they be equal.
  const auto key = (*client)->Upload(arguments.app, *bytes, arguments.version,
                                     absl::ToUnixNanos(absl::Now()));
  if (!key.ok()) return key.status();
  arguments.client.Tell(absl::StrCat("sent as ", *key));
  return absl::OkStatus();
}

}  // namespace

void AddPgoUpload(CLI::App& group, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddPgoVerb(
      group, "upload", "Sends a CPU profile to be merged with those before it",
      exit_status, [arguments] { return Upload(*arguments); });
  verb->add_option("file", arguments->file, "pprof, or - for standard input")
      ->type_name("FILE")
      ->required();
  AddAppOption(*verb, arguments->app);
  verb->add_option("--program-version", arguments->version,
                   "The program's version, for the worker's weights; without "
                   "it the build id that the profile has");
  arguments->client.AddTo(*verb);
  arguments->client.AddLogLevelTo(*verb);
}

}  // namespace wallprof::cli
