// What a daemon's requests cost before anything is done with them.
//
//   bench/serving [SECONDS]
//
// Clients in this process post bodies of 100 KiB, a connection each as agents
// do, to a handler that does nothing: to the server alone, behind tokens, log
// and metrics, and by TLS. Printed are requests a second, and the CPU time that
// the server's threads took for each.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/serving/front.h"
#include "fleet/serving/tls.h"
#include "http/server/serve_handler.h"
#include "profiler/threads/clock.h"

namespace wallprof::serving {
namespace {

constexpr size_t kBodyBytes = 100 << 10;
constexpr int kClients = 4;
constexpr char kToken[] = "0123456789abcdef0123456789abcdef";

class NothingApi : public Api {
 public:
  Route RouteOf(std::string_view, std::string_view) const override {
    return {"/profiles", Scope::kWrite};
  }
  HttpResponse Handle(const HttpRequest& request) override {
    bytes += request.body.size();
    return http::Content(http::kJson, "{\"code\":200}");
  }

  std::atomic<size_t> bytes{0};
};

int Connect(int port) {
  const int socket_number = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_number, reinterpret_cast<sockaddr*>(&address),
              sizeof(address)) != 0) {
    perror("connect");
    exit(1);
  }
  // As clients of HTTP have it.
  const int on = 1;
  setsockopt(socket_number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket_number;
}

// Whether the answer was 200.
bool Post(int port, const std::string& request, SSL_CTX* tls) {
  const int socket_number = Connect(port);
  std::string answer;
  char chunk[4096];
  if (tls == nullptr) {
    size_t sent = 0;
    while (sent < request.size()) {
      const ssize_t count = send(socket_number, request.data() + sent,
                                 request.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<size_t>(count);
    }
    ssize_t count;
    while ((count = recv(socket_number, chunk, sizeof(chunk), 0)) > 0) {
      answer.append(chunk, static_cast<size_t>(count));
    }
  } else {
    SSL* session = SSL_new(tls);
    SSL_set_fd(session, socket_number);
    if (SSL_connect(session) == 1 &&
        SSL_write(session, request.data(), static_cast<int>(request.size())) >
            0) {
      int count;
      while ((count = SSL_read(session, chunk, sizeof(chunk))) > 0) {
        answer.append(chunk, static_cast<size_t>(count));
      }
    }
    SSL_free(session);
  }
  close(socket_number);
  return answer.rfind("HTTP/1.1 200", 0) == 0;
}

void Measure(const char* what, http::Answering answering,
             const TlsFiles* tls_files, double seconds) {
  http::ServerOptions options;
  options.max_waiting = 512;
  options.limits.request_bytes = size_t{32} << 20;
  options.limits.receive_bytes = size_t{64} << 10;
  SSL_CTX* client = nullptr;
  if (tls_files != nullptr) {
    options.scheme = "https";
    options.new_transport = [tls_files](http::FileDescriptor socket) {
      return tls_files->NewTransport(std::move(socket));
    };
    client = SSL_CTX_new(TLS_client_method());
  }
  auto server = http::ServeHandler(
      "127.0.0.1:0", std::move(answering),
      [](const std::string&, std::function<void()> body) {
        std::thread(std::move(body)).detach();
        return absl::OkStatus();
      },
      options);
  if (!server.ok()) {
    fprintf(stderr, "%s\n", std::string(server.status().message()).c_str());
    exit(1);
  }
  const int port = (*server)->port();
  const std::string request = absl::StrCat(
      "POST /profiles HTTP/1.1\r\nHost: localhost\r\n",
      "Authorization: Bearer ", kToken, "\r\nContent-Length: ", kBodyBytes,
      "\r\n\r\n", std::string(kBodyBytes, 'x'));
  std::atomic<int64_t> done{0}, failed{0}, client_cpu_ns{0};
  const int64_t cpu_before = threads::NowNs(CLOCK_PROCESS_CPUTIME_ID);
  const int64_t start = threads::MonotonicNs();
  const int64_t end = start + static_cast<int64_t>(seconds * 1e9);
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      while (threads::MonotonicNs() < end) {
        ++(Post(port, request, client) ? done : failed);
      }
      client_cpu_ns += threads::NowNs(CLOCK_THREAD_CPUTIME_ID);
    });
  }
  for (std::thread& thread : clients) thread.join();
  const double took = static_cast<double>(threads::MonotonicNs() - start) / 1e9;
  (*server)->Stop();
  // What is not the clients'.
  const int64_t server_cpu_ns =
      threads::NowNs(CLOCK_PROCESS_CPUTIME_ID) - cpu_before - client_cpu_ns;
  const double requests = static_cast<double>(done.load());
  printf("%-28s %7.0f requests/s %7.3f ms CPU each %6lld failed\n", what,
         requests / took, static_cast<double>(server_cpu_ns) / 1e6 / requests,
         static_cast<long long>(failed.load()));
  if (client != nullptr) SSL_CTX_free(client);
}

http::Answering Alone(NothingApi& api) {
  http::Answering answering;
  answering.handle = [&api](const HttpRequest& request) {
    return api.Handle(request);
  };
  return answering;
}

void MeasureAll(double seconds) {
  char pattern[] = "/tmp/wallprof-serving-XXXXXX";
  const std::string folder = mkdtemp(pattern);
  const std::string cert = folder + "/cert", key = folder + "/key";
  std::ofstream(folder + "/tokens") << "write " << kToken << "\n";
  if (system(absl::StrCat("openssl req -x509 -newkey ec -pkeyopt "
                          "ec_paramgen_curve:prime256v1 -nodes -days 1 "
                          "-subj /CN=localhost -out ",
                          cert, " -keyout ", key, " 2>/dev/null")
                 .c_str()) != 0) {
    fprintf(stderr, "openssl is missing\n");
    exit(1);
  }
  NothingApi api;
  Measure("server alone", Alone(api), nullptr, seconds);
  auto tokens = TokenFile::Open(folder + "/tokens");
  auto tls = TlsFiles::Open(cert, key);
  Metrics metrics;
  EventLog log(LogFormat::kLogfmt, LogLevel::kInfo, [](std::string_view) {});
  FrontOptions options;
  options.tokens = tokens->get();
  Front front(api, metrics, log, options);
  Measure("with tokens, log, metrics", front.MakeAnswering(4 << 20), nullptr,
          seconds);
  Measure("the same by TLS", front.MakeAnswering(4 << 20), tls->get(), seconds);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace wallprof::serving

int main(int argc, char** argv) {
  wallprof::serving::MeasureAll(argc > 1 ? atof(argv[1]) : 3);
}
