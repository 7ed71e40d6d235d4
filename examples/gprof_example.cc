// gprof's example: a loop of three functions, one that waits for the network,
// one that computes, one that nobody understands yet. It times them itself, so
// that a profile of it can be compared with the truth.
//
//   gprof_example [--listen ADDRESS] [--seconds N] [--quiet]
//   curl 'localhost:6060/?seconds=10'
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wallprof/http.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "examples/sleep_server.h"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// Often enough to be seen, seldom enough to be read.
constexpr Seconds kReportPeriod(3);

constexpr char kUsage[] =
    "usage: gprof_example [--listen ADDRESS] [--seconds N] [--quiet]\n"
    "  --listen ADDRESS  where to serve profiles, 127.0.0.1:6060 by default;\n"
    "                    none: do not profile\n"
    "  --seconds N       end after N seconds and print, for each function,\n"
    "                    total NAME SECONDS SHARE\n"
    "  --quiet           print no times on the way\n";

int sleep_server_port = 0;

}  // namespace

// 60 ms, waiting for a web service that might be slow.
__attribute__((noinline)) void slowNetworkRequest() {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(sleep_server_port));
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  constexpr std::string_view kRequest = "GET / HTTP/1.0\r\n\r\n";
  if (connect(connection, reinterpret_cast<sockaddr*>(&address),
              sizeof address) != 0 ||
      send(connection, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) {
    std::perror("request");
    std::exit(1);
  }
  char response[1024];
  while (TEMP_FAILURE_RETRY(recv(connection, response, sizeof response, 0)) >
         0) {
  }
  close(connection);
}

// 30 ms of heavy computation.
__attribute__((noinline)) void cpuIntensiveTask() {
  const auto end = Clock::now() + std::chrono::milliseconds(30);
  while (Clock::now() < end) {
    for (int i = 0; i < 5000; ++i) {
      asm volatile("");  // keeps the loop, which computes nothing
    }
  }
}

// 10 ms. It sleeps, how weird.
__attribute__((noinline)) void weirdFunction() {
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

namespace {

struct TimedFunction {
  const char* name;
  void (*call)();
  Seconds total{0};
  Seconds unreported{0};
};

struct Flags {
  std::string listen = "127.0.0.1:6060";
  Seconds duration{std::numeric_limits<double>::infinity()};
  bool quiet = false;
};

[[noreturn]] void ExitWithUsage(FILE* to, int status) {
  std::fputs(kUsage, to);
  std::exit(status);
}

Flags ParseFlags(int argc, char** argv) {
  const option options[] = {{"listen", required_argument, nullptr, 'l'},
                            {"seconds", required_argument, nullptr, 's'},
                            {"quiet", no_argument, nullptr, 'q'},
                            {"help", no_argument, nullptr, 'h'},
                            {}};
  Flags flags;
  for (int flag; (flag = getopt_long(argc, argv, "", options, nullptr)) >= 0;) {
    if (flag == 'l') {
      flags.listen = optarg;
    } else if (flag == 's') {
      char* end = nullptr;
      flags.duration = Seconds(std::strtod(optarg, &end));
      if (*end != '\0' || !(flags.duration.count() > 0)) {
        std::fprintf(stderr, "--seconds %s: not a number above 0\n", optarg);
        std::exit(2);
      }
    } else if (flag == 'q') {
      flags.quiet = true;
    } else if (flag == 'h') {
      ExitWithUsage(stdout, 0);
    } else {
      ExitWithUsage(stderr, 2);
    }
  }
  if (optind != argc) ExitWithUsage(stderr, 2);
  return flags;
}

}  // namespace

int main(int argc, char** argv) {
  const Flags flags = ParseFlags(argc, argv);
  pthread_setname_np(pthread_self(), "main");
  sleep_server_port = StartSleepServer(std::chrono::milliseconds(60));
  std::unique_ptr<wallprof::Server> server;
  if (flags.listen != "none") {
    auto started = wallprof::Serve(flags.listen);
    if (!started.ok()) {
      std::cerr << started.status() << '\n';
      return 1;
    }
    server = *std::move(started);
    std::cout << "serving " << server->url() << std::endl;
  }

  TimedFunction functions[] = {{"slowNetworkRequest", &slowNetworkRequest},
                               {"cpuIntensiveTask", &cpuIntensiveTask},
                               {"weirdFunction", &weirdFunction}};
  const auto begin = Clock::now();
  auto reported = begin;
  int rounds = 0;
  while (Clock::now() - begin < flags.duration) {
    for (TimedFunction& function : functions) {
      const auto start = Clock::now();
      function.call();
      const Seconds taken = Clock::now() - start;
      function.total += taken;
      function.unreported += taken;
    }
    ++rounds;
    if (flags.quiet || Clock::now() - reported < kReportPeriod) continue;
    for (TimedFunction& function : functions) {
      std::printf("%s: %.1f ms\n", function.name,
                  1e3 * function.unreported.count() / rounds);
      function.unreported = Seconds(0);
    }
    std::fflush(stdout);
    reported = Clock::now();
    rounds = 0;
  }

  Seconds all(0);
  for (const TimedFunction& function : functions) all += function.total;
  for (const TimedFunction& function : functions) {
    std::printf("total %s %.6f %.4f\n", function.name, function.total.count(),
                function.total / all);
  }
}
