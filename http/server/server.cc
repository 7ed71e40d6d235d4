#include "http/server/server.h"

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <mutex>
#include <string>
#include <utility>

#include "http/response.h"
#include "http/server/exchange.h"
#include "http/server/worker_pool.h"
#include "http/socket/address.h"
#include "http/socket/listener.h"
#include "http/socket/wake_event.h"

namespace wallprof::http {

namespace {

// Threads beyond those that measure: for pages, which are answered at once,
// and for clients that are slow to send or to read.
constexpr int kSpareWorkers = 16;

// The accept loop is woken when the server stops. Should no thread be had to
// wake it, it looks for itself this often.
constexpr int kStopCheckMilliseconds = 1000;

// With no descriptor left for the next connection there is nothing to do but
// wait for one to be closed.
constexpr int kOutOfDescriptorsMilliseconds = 100;

// How long a refused client's request is waited for: closing with it unread
// would reset the connection before the refusal is read.
constexpr int kRefusalMilliseconds = 20;

// Tells a client, without ever waiting long for it, to come back later.
void Refuse(FileDescriptor connection) {
  pollfd ready = {connection.number(), POLLIN, 0};
  poll(&ready, 1, kRefusalMilliseconds);
  char unread[4096];
  (void)recv(connection.number(), unread, sizeof(unread), MSG_DONTWAIT);
  std::string bytes =
      BytesOf(Busy("As many connections are open as may be at once."));
  (void)send(connection.number(), bytes.data(), bytes.size(),
             MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(connection.number(), SHUT_WR);
}

class EmbeddedServer : public Server {
 public:
  EmbeddedServer(ProfileSource& source, SpawnThread spawn,
                 const HttpOptions& options, const ConnectionLimits& limits)
      : limits_(limits),
        handler_(source, options),
        threads_(std::move(spawn)),
        workers_(threads_, options.max_measurements + kSpareWorkers,
                 [this](FileDescriptor connection) {
                   Answer(std::move(connection));
                 }) {}
  ~EmbeddedServer() override { Stop(); }

  absl::Status Start(const Address& address);

  int port() const override { return PortOf(address_); }
  std::string url() const override { return UrlOf(address_); }
  void Stop() override;

 private:
  using Opened = absl::StatusOr<Address>;

  // Body of the thread that accepts; the address as bound goes to `opened`.
  void Run(const Address& address, std::promise<Opened>& opened);
  bool IsRunning();
  void AcceptUntilStopped(const Listener& listener, const WakeEvent& wake);
  void Answer(FileDescriptor connection);

  const ConnectionLimits limits_;
  HttpHandler handler_;
  std::unique_ptr<Exchange> exchange_;
  Address address_;
  std::atomic<bool> stopping_{false};

  std::mutex wake_mutex_;
  // Lives on the stack of Run; null before and after. Guarded by wake_mutex_
  // where it is written or used by another thread than the workers, which Run
  // outlives.
  const WakeEvent* wake_ = nullptr;

  ThreadGroup threads_;
  WorkerPool workers_;
};

absl::Status EmbeddedServer::Start(const Address& address) {
  absl::StatusOr<std::unique_ptr<Exchange>> exchange =
      Exchange::Create(handler_);
  if (!exchange.ok()) return exchange.status();
  exchange_ = *std::move(exchange);
  // Shared: the thread may be in set_value() still when this one goes on.
  auto opened = std::make_shared<std::promise<Opened>>();
  absl::Status started =
      threads_.Start([this, address, opened] { Run(address, *opened); });
  if (!started.ok()) return started;
  Opened bound = opened->get_future().get();
  if (!bound.ok()) return bound.status();
  address_ = *std::move(bound);
  return absl::OkStatus();
}

void EmbeddedServer::Stop() {
  if (!stopping_.exchange(true) && IsRunning()) {
    // The event is in the descriptor table of the server's threads.
    absl::Status woken = threads_.Start([this] {
      std::lock_guard<std::mutex> lock(wake_mutex_);
      if (wake_ != nullptr) wake_->Raise();
    });
    // Failing that, the accept loop notices a little later.
    woken.IgnoreError();
  }
  threads_.Wait();
}

bool EmbeddedServer::IsRunning() {
  std::lock_guard<std::mutex> lock(wake_mutex_);
  return wake_ != nullptr;
}

void EmbeddedServer::Run(const Address& address, std::promise<Opened>& opened) {
  absl::StatusOr<WakeEvent> wake = WakeEvent::Open();
  if (!wake.ok()) return opened.set_value(wake.status());
  absl::StatusOr<Listener> listener = Listener::Open(address);
  if (!listener.ok()) return opened.set_value(listener.status());
  {
    std::lock_guard<std::mutex> lock(wake_mutex_);
    wake_ = &*wake;
  }
  opened.set_value(listener->address());
  AcceptUntilStopped(*listener, *wake);
  wake->Raise();
  workers_.Stop();
  std::lock_guard<std::mutex> lock(wake_mutex_);
  wake_ = nullptr;
}

void EmbeddedServer::AcceptUntilStopped(const Listener& listener,
                                        const WakeEvent& wake) {
  while (!stopping_.load()) {
    pollfd ready[2] = {{wake.descriptor(), POLLIN, 0},
                       {listener.descriptor(), POLLIN, 0}};
    poll(ready, 2, kStopCheckMilliseconds);
    if (ready[1].revents == 0) continue;
    FileDescriptor connection = listener.Accept();
    if (connection.is_open()) {
      FileDescriptor refused = workers_.Take(std::move(connection));
      if (refused.is_open()) Refuse(std::move(refused));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
               errno == ENOMEM) {
      poll(ready, 1, kOutOfDescriptorsMilliseconds);
    }
  }
}

void EmbeddedServer::Answer(FileDescriptor socket) {
  Connection connection(std::move(socket), wake_->descriptor(), limits_);
  exchange_->Answer(connection, [this] { return stopping_.load(); });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> ServeSource(
    std::string_view address, ProfileSource& source, SpawnThread spawn,
    const HttpOptions& options, const ConnectionLimits& limits) {
  absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  auto server = std::make_unique<EmbeddedServer>(source, std::move(spawn),
                                                 options, limits);
  if (absl::Status s = server->Start(*parsed); !s.ok()) return s;
  return server;
}

}  // namespace wallprof::http
