#include "fleet/serving/daemon.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/serving/front.h"
#include "http/socket/address.h"

namespace wallprof::serving {
namespace {

using fleet::LogLine;

// While it ends, the daemon looks this often whether requests still run.
constexpr absl::Duration kDrainStep = absl::Milliseconds(20);

// Chunks of bodies: whole in the socket's buffer they cost two calls.
constexpr size_t kReceiveBytes = size_t{64} << 10;

// Chunks of a byte take six with their framing. What is beyond belongs to no
// body that is taken.
constexpr size_t kFraming = 8;

// A client that takes a large answer byte by byte holds a thread no longer.
constexpr absl::Duration kResponseTimeout = absl::Minutes(10);

// Of a body that was refused, so that its client gets to read why: sixteen
// times the largest, for as long as a slow network takes.
constexpr size_t kLingerBodies = 16;
constexpr absl::Duration kLingerTimeout = absl::Seconds(5);

// Connections that wait for one of the workers: a fleet's agents that all come
// in the same second.
constexpr size_t kMaxWaiting = 512;

absl::Status Spawn(const std::string& name, std::function<void()> body) {
  try {
    std::thread([name, body = std::move(body)] {
      pthread_setname_np(pthread_self(), name.c_str());
      body();
    }).detach();
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(error.what());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckAddress(std::string_view listen) {
  return http::ParseAddress(listen).status();
}

Daemon::Daemon(DaemonOptions options)
    : options_(std::move(options)),
      log_(options_.log_format, options_.log_level, WriteToStandardError) {
  // OpenSSL writes to sockets that may be closed at the other end.
  signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    sigaddset(&signals_, number);
  }
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

Daemon::~Daemon() = default;

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Create(DaemonOptions options) {
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(options)));
  if (absl::Status read = daemon->ReadFiles(); !read.ok()) return read;
  return daemon;
}

absl::Status Daemon::ReadFiles() {
  if (options_.tls_cert.empty() != options_.tls_key.empty()) {
    return absl::InvalidArgumentError(
        "a certificate and its key go together: --tls-cert, --tls-key");
  }
  if (!options_.tls_cert.empty()) {
    auto tls = TlsFiles::Open(options_.tls_cert, options_.tls_key);
    if (!tls.ok()) return tls.status();
    tls_ = *std::move(tls);
  }
  if (!options_.tokens.empty()) {
    auto tokens = TokenFile::Open(options_.tokens);
    if (!tokens.ok()) return tokens.status();
    tokens_ = *std::move(tokens);
  }
  WarnOfOpenDoors();
  return absl::OkStatus();
}

void Daemon::WarnOfOpenDoors() {
  if (tokens_ != nullptr) {
    for (const std::string& sentence : tokens_->warnings()) {
      log_.Warn(LogLine("tokens").Add("warning", sentence));
    }
  }
  const absl::StatusOr<http::Address> address =
      http::ParseAddress(options_.listen);
  if (!address.ok() || http::IsLoopback(*address)) return;
  if (tokens_ == nullptr) {
    log_.Warn(LogLine("open").Add(
        "warning", absl::StrCat("whoever reaches ", options_.listen,
                                " may read and write everything: no --tokens "
                                "are given")));
  } else if (tls_ == nullptr) {
    log_.Warn(LogLine("plain").Add(
        "warning",
        absl::StrCat("tokens go over the network to ", options_.listen,
                     " as they are: no --tls-cert is given")));
  }
}

void Daemon::Reload() {
  const auto read = [this](const char* what, const absl::Status& status) {
    if (status.ok()) {
      log_.Info(LogLine("reloaded").Add("what", what));
    } else {
      log_.Error(LogLine("not_reloaded")
                     .Add("what", what)
                     .Add("error", std::string(status.message()))
                     .Add("instead", "what was read before"));
    }
  };
  if (tls_ != nullptr) read("certificate", tls_->Reload());
  if (tokens_ != nullptr) {
    read("tokens", tokens_->Reload());
    WarnOfOpenDoors();
  }
}

absl::Status Daemon::Run(Api& api, const Hooks& hooks) {
  const absl::StatusOr<http::Address> address =
      http::ParseAddress(options_.listen);
  if (!address.ok()) return address.status();
  FrontOptions front_options;
  front_options.metrics_prefix = options_.metrics_prefix;
  front_options.tokens = tokens_.get();
  front_options.allowed_hosts = options_.allowed_hosts;
  front_options.guards_all_hosts =
      http::IsLoopback(*address) || !options_.allowed_hosts.empty();
  front_options.ready = hooks.ready;
  Front front(api, metrics_, log_, front_options);

  http::ServerOptions server_options;
  server_options.max_workers = options_.max_requests;
  server_options.max_waiting = kMaxWaiting;
  server_options.limits.request_timeout = options_.request_timeout;
  server_options.limits.response_timeout = kResponseTimeout;
  server_options.limits.linger_timeout = kLingerTimeout;
  server_options.limits.linger_bytes = kLingerBodies * options_.max_body_bytes;
  server_options.limits.request_bytes =
      server_options.limits.head_bytes + kFraming * options_.max_body_bytes;
  server_options.limits.receive_bytes = kReceiveBytes;
  if (tls_ != nullptr) {
    server_options.scheme = "https";
    server_options.new_transport = [this](http::FileDescriptor socket) {
      return tls_->NewTransport(std::move(socket));
    };
  }
  absl::StatusOr<std::unique_ptr<http::HandlerServer>> server =
      http::ServeHandler(options_.listen,
                         front.MakeAnswering(options_.max_body_bytes), Spawn,
                         server_options);
  if (!server.ok()) return server.status();
  log_.Info(LogLine("started").Add("url", (*server)->url()));
  if (hooks.announce) hooks.announce((*server)->url());
  AwaitEnd(hooks);
  front.SetEnding();
  if (hooks.ending) hooks.ending();
  Drain(**server);
  (*server)->Stop();
  log_.Info(LogLine("stopped"));
  return absl::OkStatus();
}

void Daemon::AwaitEnd(const Hooks& hooks) {
  for (;;) {
    int received = 0;
    if (sigwait(&signals_, &received) != 0) continue;
    if (received != SIGHUP) {
      log_.Info(LogLine("stopping").Add("signal", received));
      return;
    }
    Reload();
    if (hooks.reload) hooks.reload();
  }
}

void Daemon::Drain(http::HandlerServer& server) {
  server.StopListening();
  const absl::Time deadline = absl::Now() + options_.exit_timeout;
  const timespec step = absl::ToTimespec(kDrainStep);
  while (server.connections() > 0) {
    const int received = sigtimedwait(&signals_, nullptr, &step);
    if (received == SIGTERM || received == SIGINT) {
      log_.Warn(
          LogLine("killed")
              .Add("signal", received)
              .Add("requests", static_cast<int64_t>(server.connections())));
      // As if the signal had not been heeded: what asked for it sees that.
      signal(received, SIG_DFL);
      sigset_t one;
      sigemptyset(&one);
      sigaddset(&one, received);
      raise(received);
      pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    }
    if (absl::Now() >= deadline) {
      log_.Warn(
          LogLine("cancelled")
              .Add("requests", static_cast<int64_t>(server.connections())));
      return;
    }
  }
}

}  // namespace wallprof::serving
