// What an agent costs a program a minute, and how long stopping it takes.
//
//   bench/agent [MINUTES]
//
// A program of 100 threads, a tenth of which compute, profiled for 10 s each
// minute as by default, beside the same program with a profiler alone; the
// collector is one that answers at once, in this process. Then how long the
// program's exit waits: while a profile is taken, while a collector hangs,
// while connections to it are not answered, and while its name is looked up.
#include "wallprof/agent.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "profiler/threads/clock.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

constexpr int kThreads = 100;
constexpr int kRounds = 10;  // of each way to stop
constexpr absl::Duration kBudgetExit = absl::Milliseconds(200);

std::atomic<bool> g_stop{false};

void Work(int number) {
  while (!g_stop) {
    if (number % 10 == 0) {
      const int64_t end = threads::MonotonicNs() + 2'000'000;
      while (threads::MonotonicNs() < end) {
      }
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
}

// CPU time of the profiler's own threads, the agent's among them.
double OwnCpuSeconds(const Profiler& profiler) {
  return absl::ToDoubleSeconds(profiler.Stats().cpu_time);
}

AgentAnswer Taken(const AgentRequest&) {
  AgentAnswer answer;
  answer.result = AgentAnswer::Result::kAnswered;
  answer.status = 200;
  answer.body = R"({"code":200,"body":{"id":"1"}})";
  return answer;
}

std::unique_ptr<Profiler> StartProfiler() {
  auto profiler = Profiler::Start();
  if (!profiler.ok()) {
    fprintf(stderr, "%s\n", profiler.status().ToString().c_str());
    exit(1);
  }
  return *std::move(profiler);
}

std::unique_ptr<Agent> StartAgent(AgentOptions options, Profiler& profiler) {
  auto agent = Agent::Start(std::move(options), profiler);
  if (!agent.ok()) {
    fprintf(stderr, "%s\n", agent.status().ToString().c_str());
    exit(1);
  }
  return *std::move(agent);
}

void PrintCost(double minutes) {
  const auto profiler = StartProfiler();
  absl::SleepFor(absl::Seconds(5));  // to settle
  const double before = OwnCpuSeconds(*profiler);
  absl::SleepFor(absl::Minutes(minutes));
  const double alone = OwnCpuSeconds(*profiler) - before;
  AgentOptions options;
  options.collector = "http://collector";
  options.service = "bench";
  options.exchange = Taken;
  const double first = OwnCpuSeconds(*profiler);
  const absl::Time first_time = absl::Now();
  const auto agent = StartAgent(options, *profiler);
  // The first profile needs names that all have from then on.
  while (agent->Stats().sent < 2) absl::SleepFor(absl::Milliseconds(100));
  const double start = OwnCpuSeconds(*profiler);
  printf("the first profile: %.0f ms of CPU beyond the profiler's\n",
         (start - first -
          alone / minutes * absl::ToDoubleMinutes(absl::Now() - first_time)) *
             1e3);
  absl::SleepFor(absl::Minutes(minutes));
  const double with = OwnCpuSeconds(*profiler) - start;
  agent->Stop();
  printf(
      "CPU a minute: profiler %.0f ms, with an agent %.0f ms: %.2f %% of a "
      "core more\n",
      alone / minutes * 1e3, with / minutes * 1e3,
      (with - alone) / minutes / 60 * 100);
  printf("profiles: %ld taken, %ld sent\n",
         static_cast<long>(agent->Stats().taken),
         static_cast<long>(agent->Stats().sent));
}

// --- stopping ----------------------------------------------------------------

// Listens; accepts and answers nobody.
class SilentListener {
 public:
  explicit SilentListener(int backlog)
      : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    if (bind(socket_, reinterpret_cast<sockaddr*>(&name), size) != 0 ||
        listen(socket_, backlog) != 0) {
      perror("listen");
      exit(1);
    }
    getsockname(socket_, reinterpret_cast<sockaddr*>(&name), &size);
    url_ = absl::StrCat("http://127.0.0.1:", ntohs(name.sin_port));
  }
  ~SilentListener() { close(socket_); }
  const std::string& url() const { return url_; }

 private:
  const int socket_;
  std::string url_;
};

void PrintStops(const char* what, const std::string& collector,
                absl::Duration window, absl::Duration before_stop) {
  std::vector<double> waits;
  std::string spool = "/tmp/wallprof-bench-XXXXXX";
  if (mkdtemp(spool.data()) == nullptr) exit(1);
  for (int round = 0; round < kRounds; ++round) {
    const auto profiler = StartProfiler();
    AgentOptions options;
    options.collector = collector;
    options.service = "bench";
    options.spool_dir = spool;
    options.window = window;
    options.interval = std::max(window, absl::Milliseconds(200));
    const auto agent = StartAgent(options, *profiler);
    absl::SleepFor(before_stop + absl::Milliseconds(13 * round));
    const absl::Time start = absl::Now();
    agent->Stop();
    waits.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
  }
  std::filesystem::remove_all(spool);
  std::sort(waits.begin(), waits.end());
  printf("%-34s median %5.0f ms, longest %5.0f ms (budget %.0f ms)\n", what,
         waits[waits.size() / 2], waits.back(),
         absl::ToDoubleMilliseconds(kBudgetExit));
}

int Main(int argc, char** argv) {
  const double minutes = argc > 1 ? atof(argv[1]) : 5;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(Work, i);
  PrintCost(minutes);
  printf("how long stopping takes:\n");
  const SilentListener silent(100);
  PrintStops("in a profile of 10 s", silent.url(), absl::Seconds(10),
             absl::Milliseconds(1900));
  PrintStops("while the collector hangs", silent.url(), absl::Milliseconds(100),
             absl::Seconds(1));
  // No such network: packets are lost on the way, or refused.
  PrintStops("while there is no connection", "http://192.0.2.1:9",
             absl::Milliseconds(100), absl::Seconds(1));
  PrintStops("while its name is looked up", "http://collector.invalid",
             absl::Milliseconds(100), absl::Seconds(1));
  g_stop = true;
  for (std::thread& thread : threads) thread.join();
  return 0;
}

}  // namespace
}  // namespace wallprof

int main(int argc, char** argv) { return wallprof::Main(argc, argv); }
