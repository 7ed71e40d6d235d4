// A daemon for the tests: `wallprof collect`'s options, and an API that does
// what it is told.
#include <CLI/CLI.hpp>
#include <iostream>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/daemon_options.h"
#include "cli/settings.h"
#include "fleet/serving/daemon.h"

namespace wallprof::serving {
namespace {

class SubjectApi : public Api {
 public:
  Route RouteOf(std::string_view method, std::string_view path) const override {
    const std::string_view name =
        path.substr(0, 6) == "/echo/" ? "/echo/<id>" : "other";
    if (method == "DELETE") return {name, Scope::kAdmin};
    return {name,
            method == "GET" || method == "HEAD" ? Scope::kRead : Scope::kWrite};
  }

  HttpResponse Handle(const HttpRequest& request) override {
    if (request.target == "/throw") throw std::runtime_error("as told");
    if (request.target.rfind("/slow/", 0) == 0) return Slow(request);
    HttpResponse response = http::Content(http::kPlainText, request.body);
    if (request.target.rfind("/big/", 0) == 0) {
      response.body = std::string(NumberOf(request), 'b');
    }
    response.headers["X-Method"] = request.method;
    response.headers["X-Peer"] = request.peer;
    return response;
  }

 private:
  static size_t NumberOf(const HttpRequest& request) {
    size_t number = 0;
    (void)absl::SimpleAtoi(request.target.substr(request.target.rfind('/') + 1),
                           &number);
    return number;
  }

  // Waits so many milliseconds, or until the client is gone.
  static HttpResponse Slow(const HttpRequest& request) {
    WriteToStandardError("slow began\n");
    const absl::Time end =
        absl::Now() +
        absl::Milliseconds(static_cast<double>(NumberOf(request)));
    while (absl::Now() < end) {
      if (request.client_gone()) {
        WriteToStandardError("slow was left\n");
        return http::Failure(503, "left");
      }
      absl::SleepFor(absl::Milliseconds(5));
    }
    return http::Content(http::kPlainText, "done");
  }
};

int Run(int argc, char** argv) {
  CLI::App app("A daemon");
  cli::DaemonArguments arguments;
  cli::AddConfigFile(app);
  arguments.AddTo(app, "127.0.0.1:0");
  cli::AddVariables(app, {"WALLPROF_SUBJECT_"});
  CLI11_PARSE(app, argc, argv);
  auto daemon = Daemon::Create(arguments.Options("subject"));
  if (!daemon.ok()) {
    std::cerr << "wallprof: " << daemon.status().message() << '\n';
    return 1;
  }
  SubjectApi api;
  Daemon::Hooks hooks;
  hooks.reload = [] { WriteToStandardError("reloaded\n"); };
  hooks.announce = [](const std::string& url) {
    cli::Announce("serving", url);
  };
  const absl::Status ended = (*daemon)->Run(api, hooks);
  if (!ended.ok()) std::cerr << "wallprof: " << ended.message() << '\n';
  return ended.ok() ? 0 : 1;
}

}  // namespace
}  // namespace wallprof::serving

int main(int argc, char** argv) { return wallprof::serving::Run(argc, argv); }
