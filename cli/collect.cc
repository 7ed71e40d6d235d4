#include <memory>
#include <string>

#include "cli/daemon_options.h"
#include "cli/settings.h"
#include "cli/verb.h"
#include "fleet/serving/daemon.h"

namespace wallprof::cli {
namespace {

struct Arguments {
  DaemonArguments daemon;
  std::string dir;
};

// What is served until there is more.
class NothingApi : public serving::Api {
 public:
  serving::Route RouteOf(std::string_view, std::string_view) const override {
    return {"other", serving::Scope::kRead};
  }
  HttpResponse Handle(const HttpRequest&) override {
    return http::Failure(404, "There is no such path.");
  }
};

absl::Status Run(const Arguments& arguments) {
  auto daemon =
      serving::Daemon::Create(arguments.daemon.Options("wallprof_collector"));
  if (!daemon.ok()) return daemon.status();
  NothingApi api;
  serving::Daemon::Hooks hooks;
  hooks.announce = [](const std::string& url) { Announce("collecting", url); };
  return (*daemon)->Run(api, hooks);
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
  verb->add_option("--dir", arguments->dir, "Where profiles are kept")
      ->required()
      ->type_name("DIR");
  arguments->daemon.AddTo(*verb, "127.0.0.1:10100");
  AddVariables(*verb, "WALLPROF_COLLECT_");
}

}  // namespace wallprof::cli
