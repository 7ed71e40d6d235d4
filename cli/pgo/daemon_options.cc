#include "cli/pgo/daemon_options.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/self_profile.h"
#include "fleet/log/log_line.h"
#include "fleet/pgo/server/server.h"

namespace wallprof::cli {
namespace {

// CPU profiles of half a minute have up to 2 MB; those of large C++ programs
// with all their stacks ten times that.
constexpr size_t kMaxBodyBytes = size_t{32} << 20;

constexpr int kMaxPort = 65535;

}  // namespace

PgoDaemonArguments::PgoDaemonArguments() : common_(kMaxBodyBytes) {}

void PgoDaemonArguments::AddTo(CLI::App& verb, int port) {
  common_.AddTo(verb, absl::StrCat("127.0.0.1:", port));
  verb.add_option("-p,--port", port_,
                  "Listens on this port of all interfaces instead")
      ->type_name("PORT")
      ->check(CLI::Range(1, kMaxPort))
      ->excludes(verb.get_option("--listen"));
  verb.add_flag("--debug", debug_,
                "Serves where this program's own time goes, below /debug/");
}

serving::DaemonOptions PgoDaemonArguments::Options() const {
  serving::DaemonOptions options = common_.Options(pgo::kMetricsPrefix);
  if (port_ != 0) options.listen = absl::StrCat("0.0.0.0:", port_);
  return options;
}

absl::Status PgoDaemonArguments::Run(serving::Daemon& daemon, serving::Api& api,
                                     const pgo::Health& health,
                                     const std::string& doing,
                                     std::function<void()> reload,
                                     std::function<void()> ending) const {
  std::optional<SelfProfile> self_profile;
  if (debug_) {
    self_profile.emplace(api);
    if (!self_profile->status().ok()) {
      daemon.log().Warn(
          fleet::LogLine("no_self_profile")
              .Add("why", std::string(self_profile->status().message())));
    }
  }
  serving::Daemon::Hooks hooks;
  hooks.ready = [&health] { return health.Check(); };
  hooks.reload = std::move(reload);
  hooks.ending = std::move(ending);
  hooks.announce = [&doing](const std::string& url) { Announce(doing, url); };
  return daemon.Run(self_profile ? *self_profile : api, hooks);
}

}  // namespace wallprof::cli
