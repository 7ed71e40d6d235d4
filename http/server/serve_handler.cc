#include "http/server/serve_handler.h"

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <utility>

#include "http/response.h"
#include "http/server/worker_pool.h"
#include "http/socket/address.h"
#include "http/socket/listener.h"
#include "http/socket/wake_event.h"

namespace wallprof::http {

namespace {

// The accept loop is woken when the server stops. Should no thread be had to
// wake it, it looks for itself this often.
constexpr int kStopCheckMilliseconds = 1000;

// With no descriptor left for the next connection there is nothing to do but
// wait for one to be closed.
constexpr int kOutOfDescriptorsMilliseconds = 100;

// How long a refused client's request is waited for: closing with it unread
// would reset the connection before the refusal is read.
constexpr int kRefusalMilliseconds = 20;

constexpr int kBusy = 503;
constexpr std::string_view kPlainScheme = "http";

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

class ThreadedServer : public HandlerServer {
 public:
  ThreadedServer(SpawnThread spawn, const ServerOptions& options)
      : options_(options),
        threads_(std::move(spawn)),
        workers_(threads_, options.max_workers, options.max_waiting,
                 [this](FileDescriptor connection) {
                   Answer(std::move(connection));
                 }) {}
  ~ThreadedServer() override { Stop(); }

  absl::Status Start(const Address& address, Answering answering);

  int port() const override { return PortOf(address_); }
  std::string url() const override { return UrlOf(address_, options_.scheme); }
  void Stop() override;
  void StopListening() override;
  size_t connections() override { return workers_.Connections(); }

 private:
  using Opened = absl::StatusOr<Address>;

  // Body of the thread that accepts; the address as bound goes to `opened`.
  void Run(const Address& address, std::promise<Opened>& opened);
  void WakeAcceptLoop();
  void AcceptUntilStopped(const Listener& listener, const WakeEvent& wake);
  void Take(FileDescriptor connection);
  void Answer(FileDescriptor connection);

  const ServerOptions options_;
  std::function<void(int status)> refused_;
  std::unique_ptr<Exchange> exchange_;
  Address address_;
  std::atomic<bool> listening_{true};
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  std::condition_variable stopped_;  // stopping_ was set
  // Live on the stack of Run; null before and after. Written under mutex_, as
  // they are read by others than the workers, which Run outlives. The first
  // ends what the accept loop waits for, the second what connections do.
  const WakeEvent* wake_accept_ = nullptr;
  const WakeEvent* wake_ = nullptr;

  ThreadGroup threads_;
  WorkerPool workers_;
};

absl::Status ThreadedServer::Start(const Address& address,
                                   Answering answering) {
  refused_ = answering.refused;
  absl::StatusOr<std::unique_ptr<Exchange>> exchange =
      Exchange::Create(std::move(answering));
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

void ThreadedServer::Stop() {
  bool was_stopping;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    was_stopping = stopping_.exchange(true);
    stopped_.notify_all();
  }
  if (!was_stopping) StopListening();
  threads_.Wait();
}

void ThreadedServer::StopListening() {
  if (!listening_.exchange(false)) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (wake_accept_ == nullptr) return;
  }
  // The event is in the descriptor table of the server's threads.
  absl::Status woken = threads_.Start([this] {
    std::lock_guard<std::mutex> lock(mutex_);
    if (wake_accept_ != nullptr) wake_accept_->Raise();
  });
  // Failing that, the accept loop notices a little later.
  woken.IgnoreError();
}

void ThreadedServer::Run(const Address& address, std::promise<Opened>& opened) {
  absl::StatusOr<WakeEvent> wake_accept = WakeEvent::Open();
  if (!wake_accept.ok()) return opened.set_value(wake_accept.status());
  absl::StatusOr<WakeEvent> wake = WakeEvent::Open();
  if (!wake.ok()) return opened.set_value(wake.status());
  {
    absl::StatusOr<Listener> listener = Listener::Open(address);
    if (!listener.ok()) return opened.set_value(listener.status());
    {
      std::lock_guard<std::mutex> lock(mutex_);
      wake_accept_ = &*wake_accept;
      wake_ = &*wake;
    }
    opened.set_value(listener->address());
    AcceptUntilStopped(*listener, *wake_accept);
  }
  std::unique_lock<std::mutex> lock(mutex_);
  stopped_.wait(lock, [this] { return stopping_.load(); });
  lock.unlock();
  wake->Raise();
  workers_.Stop();
  lock.lock();
  wake_accept_ = nullptr;
  wake_ = nullptr;
}

void ThreadedServer::AcceptUntilStopped(const Listener& listener,
                                        const WakeEvent& wake) {
  while (listening_.load()) {
    pollfd ready[2] = {{wake.descriptor(), POLLIN, 0},
                       {listener.descriptor(), POLLIN, 0}};
    poll(ready, 2, kStopCheckMilliseconds);
    if (ready[1].revents == 0) continue;
    FileDescriptor connection = listener.Accept();
    if (connection.is_open()) {
      Take(std::move(connection));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
               errno == ENOMEM) {
      poll(ready, 1, kOutOfDescriptorsMilliseconds);
    }
  }
}

void ThreadedServer::Take(FileDescriptor connection) {
  FileDescriptor refused = workers_.Take(std::move(connection));
  if (!refused.is_open()) return;
  if (refused_) refused_(kBusy);
  // Without a handshake, which takes a worker, there is nothing that a client
  // of another protocol would understand.
  if (options_.scheme == kPlainScheme) Refuse(std::move(refused));
}

void ThreadedServer::Answer(FileDescriptor socket) {
  Connection connection(options_.new_transport(std::move(socket)),
                        wake_->descriptor(), options_.limits);
  exchange_->Answer(connection, [this] { return stopping_.load(); });
}

}  // namespace

absl::StatusOr<std::unique_ptr<HandlerServer>> ServeHandler(
    std::string_view address, Answering answering, SpawnThread spawn,
    const ServerOptions& options) {
  absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  auto server = std::make_unique<ThreadedServer>(std::move(spawn), options);
  if (absl::Status s = server->Start(*parsed, std::move(answering)); !s.ok()) {
    return s;
  }
  return server;
}

}  // namespace wallprof::http
