// A daemon from its start to its end: what it listens on, who may ask, and the
// signals that it heeds.
//
//   absl::StatusOr<std::unique_ptr<Daemon>> daemon = Daemon::Create(options);
//   Collector api(store, (*daemon)->metrics(), (*daemon)->log());
//   return (*daemon)->Run(api, {.ready = ..., .announce = ...});
//
// SIGTERM and SIGINT end it: the port is closed, running requests have a while
// to end, then their clients count as gone. A second signal ends the process
// where it stands. SIGHUP has files read again.
#ifndef WALLPROF_FLEET_SERVING_DAEMON_H_
#define WALLPROF_FLEET_SERVING_DAEMON_H_

#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/serving/api.h"
#include "fleet/serving/event_log.h"
#include "fleet/serving/metrics.h"
#include "fleet/serving/tls.h"
#include "fleet/serving/tokens.h"
#include "http/server/serve_handler.h"

namespace wallprof::serving {

struct DaemonOptions {
  // As in http/socket/address.h: "HOST:PORT", "PORT", ":PORT" or "unix:PATH".
  std::string listen;

  // Files of the certificate, with those that lead to its root, and of its key.
  // Both empty: plain HTTP.
  std::string tls_cert;
  std::string tls_key;

  std::string tokens;  // a file; empty: everybody may do everything
  std::vector<std::string> allowed_hosts;

  // Requests answered at once. Each holds a thread, and its body in memory.
  int max_requests = 64;

  // A profile has 100 KB to 2 MB.
  size_t max_body_bytes = size_t{4} << 20;

  // For a whole request to arrive, a TLS handshake with it.
  absl::Duration request_timeout = absl::Seconds(30);

  // For running requests to end before the process does.
  absl::Duration exit_timeout = absl::Seconds(5);

  LogFormat log_format = LogFormat::kLogfmt;
  LogLevel log_level = LogLevel::kInfo;

  // First words of the metrics' names.
  std::string metrics_prefix = "wallprof";
};

// What is wrong with an address to listen on.
absl::Status CheckAddress(std::string_view listen);

class Daemon {
 public:
  // Reads the files. Blocks the signals that Run() heeds in this thread and in
  // those that it starts from here on, so that Run() alone receives them.
  // InvalidArgument and the like, naming the file and what is wrong with it.
  static absl::StatusOr<std::unique_ptr<Daemon>> Create(DaemonOptions options);

  ~Daemon();

  Metrics& metrics() { return metrics_; }
  EventLog& log() { return log_; }

  struct Hooks {
    // Not OK: why the daemon cannot do its work now. May be empty.
    std::function<absl::Status()> ready;

    // SIGHUP came. May be empty.
    std::function<void()> reload;

    // A signal ends the daemon: what requests still wait for may end too. May
    // be empty.
    std::function<void()> ending;

    // It listens; the URL is where.
    std::function<void(const std::string& url)> announce;
  };

  // Serves `api` until a signal ends it. Not OK: it cannot listen.
  absl::Status Run(Api& api, const Hooks& hooks);

 private:
  explicit Daemon(DaemonOptions options);

  absl::Status ReadFiles();
  void WarnOfOpenDoors();
  void Reload();
  // Returns with the first signal that ends the daemon.
  void AwaitEnd(const Hooks& hooks);
  void Drain(http::HandlerServer& server);

  const DaemonOptions options_;
  Metrics metrics_;
  EventLog log_;
  sigset_t signals_;
  std::unique_ptr<TokenFile> tokens_;
  std::unique_ptr<TlsFiles> tls_;
};

}  // namespace wallprof::serving

#endif  // WALLPROF_FLEET_SERVING_DAEMON_H_
