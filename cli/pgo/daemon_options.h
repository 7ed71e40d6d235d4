// What the daemons of `wallprof pgo` have besides those of all daemons.
#ifndef WALLPROF_CLI_PGO_DAEMON_OPTIONS_H_
#define WALLPROF_CLI_PGO_DAEMON_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/daemon_options.h"
#include "fleet/pgo/server/health.h"
#include "fleet/serving/daemon.h"

namespace wallprof::cli {

// As given; the others have them as they are used.
class PgoDaemonArguments {
 public:
  PgoDaemonArguments();

  // Adds the options to `verb`; `*this` must outlive it. It listens on
  // 127.0.0.1 and `port` by default, with --port on all interfaces.
  void AddTo(CLI::App& verb, int port);

  serving::DaemonOptions Options() const;

  // Before any thread is started: signals are blocked from here on.
  absl::StatusOr<std::unique_ptr<serving::Daemon>> NewDaemon() const {
    return serving::Daemon::Create(Options());
  }

  // Serves `api`, with --debug the daemon's own profile too, until a signal
  // ends it; `doing` is announced. `reload` and `ending`, as
  // the daemon has them, may be empty.
  absl::Status Run(serving::Daemon& daemon, serving::Api& api,
                   const pgo::Health& health, const std::string& doing,
                   std::function<void()> reload,
                   std::function<void()> ending = {}) const;

 private:
  DaemonArguments common_;
  int port_ = 0;
  bool debug_ = false;
};

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PGO_DAEMON_OPTIONS_H_
