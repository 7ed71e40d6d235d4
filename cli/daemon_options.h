// The options that all daemons have: where they listen, who may ask, limits,
// and what they tell.
#ifndef WALLPROF_CLI_DAEMON_OPTIONS_H_
#define WALLPROF_CLI_DAEMON_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fleet/serving/daemon.h"

namespace wallprof::cli {

// As given; Options() has them as the daemon takes them.
class DaemonArguments {
 public:
  explicit DaemonArguments(
      size_t max_body_bytes = serving::DaemonOptions().max_body_bytes) {
    given_.max_body_bytes = max_body_bytes;
  }

  // Adds the options to `verb`; `*this` must outlive it. `listen` is the
  // default address.
  void AddTo(CLI::App& verb, const std::string& listen);

  serving::DaemonOptions Options(const std::string& metrics_prefix) const;

 private:
  serving::DaemonOptions given_;
  std::string request_timeout_;
  std::string exit_timeout_;
  double max_body_mib_ = 0;
};

// The line on standard error by which people and scripts find a daemon:
// "wallprof: collecting at http://127.0.0.1:10100/".
void Announce(const std::string& doing, const std::string& url);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_DAEMON_OPTIONS_H_
