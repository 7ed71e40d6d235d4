#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/pgo/client_options.h"
#include "cli/pgo/verb.h"
#include "cli/profile_file.h"
#include "wallprof/formats.h"

namespace wallprof::cli {
namespace {

struct Arguments {
  ClientArguments client;
  std::string app;
  std::string output = "default.pgo";  // the name that Go's compiler looks for
};

absl::Status Download(const Arguments& arguments) {
  const auto client = arguments.client.NewClient();
  if (!client.ok()) return client.status();
  const auto bytes = (*client)->Download(arguments.app);
  if (!bytes.ok()) return bytes.status();
  if (arguments.output == "-") return Print(*bytes);
  absl::Status written = WriteBytes(*bytes, arguments.output);
  if (!written.ok()) return written;
  arguments.client.Tell(
      absl::StrCat("wrote ", arguments.output, ", ", bytes->size(), " bytes"));
  return absl::OkStatus();
}

}  // namespace

void AddPgoDownload(CLI::App& group, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddPgoVerb(
      group, "download", "Fetches a program's profile for its next build",
      exit_status, [arguments] { return Download(*arguments); });
  AddAppArgument(*verb, arguments->app);
  verb->add_option("-o,--output", arguments->output,
                   "File to write, whole or not at all; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  arguments->client.AddTo(*verb);
  arguments->client.AddLogLevelTo(*verb);
}

}  // namespace wallprof::cli
