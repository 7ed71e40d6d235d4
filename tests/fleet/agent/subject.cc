// A program with an agent, for agent_test.py:
//
//   agent_subject COLLECTOR SPOOL_DIR SECONDS [OPTION...]
//
// Computes and waits for that long, and ends as programs end. Options: wall,
// cpu, offcpu, lockwait (those alone instead of wall and cpu), interval=1s,
// window=200ms, timeout=1s, source=NAME, fork; tried and drained: goes on until
// something was tried to be sent, or nothing waits any more. Prints how long
// stopping took in milliseconds and the agent's counters.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <iostream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "wallprof/agent.h"
#include "wallprof/labels.h"
#include "wallprof/profiler.h"

namespace {

std::atomic<bool> g_stop{false};
std::mutex g_mutex;

__attribute__((noinline)) void ComputeSomething() {
  const absl::Time end = absl::Now() + absl::Milliseconds(1);
  while (absl::Now() < end) {
  }
}

__attribute__((noinline)) void HoldLock() {
  std::lock_guard<std::mutex> lock(g_mutex);
  absl::SleepFor(absl::Milliseconds(20));
}

void Work() {
  pthread_setname_np(pthread_self(), "worker");
  while (!g_stop) {
    ComputeSomething();
    HoldLock();
  }
}

void Set(std::string_view option, wallprof::AgentOptions& options) {
  const size_t equals = option.find('=');
  const std::string value(
      equals == std::string_view::npos ? "" : option.substr(equals + 1));
  const std::string name(option.substr(0, equals));
  if (name == "wall") options.wall = true;
  if (name == "cpu") options.cpu = true;
  if (name == "offcpu") options.offcpu = true;
  if (name == "lockwait") options.lock_waits = true;
  if (name == "interval") absl::ParseDuration(value, &options.interval);
  if (name == "window") absl::ParseDuration(value, &options.window);
  if (name == "timeout") absl::ParseDuration(value, &options.send_timeout);
  if (name == "source") {
    options.sources.push_back({"heap", {{"allocator", value}}, [] {
                                 return absl::StatusOr<std::string>("profile");
                               }});
  }
}

void ForkOnce() {
  const pid_t child = fork();
  if (child == 0) {
    exit(0);  // destroys nothing of the agent's
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::cout << "child=" << status << '\n';
}

// At the latest after half a minute.
void AwaitUntil(const std::function<bool()>& done) {
  const absl::Time latest = absl::Now() + absl::Seconds(30);
  while (!done() && absl::Now() < latest) absl::SleepFor(absl::Milliseconds(5));
}

void Print(const wallprof::AgentStatistics& s) {
  std::cout << "taken=" << s.taken << "\nsent=" << s.sent
            << "\nconfirmed=" << s.confirmed << "\nwaiting=" << s.waiting
            << "\nadopted=" << s.adopted << "\nleft=" << s.left
            << "\nattempts=" << s.attempts << "\nfailed=" << s.lost.failed
            << "\nempty=" << s.lost.empty << "\nrefused=" << s.lost.refused
            << "\noverflow=" << s.lost.overflow
            << "\nexpired=" << s.lost.expired << "\nunknown=" << s.lost.unknown
            << "\ncorrupt=" << s.lost.corrupt << "\nstopped=" << s.lost.stopped
            << "\nspool_errors=" << s.spool_errors << "\nerror=" << s.last_error
            << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  wallprof::AgentOptions options;
  options.collector = argv[1];
  options.spool_dir = argv[2];
  options.service = "subject";
  options.labels = {{"version", "1.0.0"}, {"odd", "a=b,c d%2F+\xc3\xa4"}};
  options.interval = absl::Milliseconds(500);
  options.window = absl::Milliseconds(200);
  options.log = [](std::string_view line) {
    fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  bool chosen = false;
  bool forks = false;
  bool tried = false;
  bool drained = false;
  for (int i = 4; i < argc; ++i) {
    const std::string_view option = argv[i];
    const bool is_view = option == "wall" || option == "cpu" ||
                         option == "offcpu" || option == "lockwait";
    if (is_view && !chosen) options.wall = options.cpu = false;
    chosen = chosen || is_view;
    forks = forks || option == "fork";
    tried = tried || option == "tried";
    drained = drained || option == "drained";
    Set(option, options);
  }
  auto profiler = wallprof::Profiler::Start();
  if (!profiler.ok()) {
    std::cerr << profiler.status() << '\n';
    return 1;
  }
  auto agent = wallprof::Agent::Start(options, **profiler);
  if (!agent.ok()) {
    std::cerr << agent.status() << '\n';
    return 1;
  }
  std::thread first(Work);
  std::thread second(Work);
  if (forks) ForkOnce();
  absl::SleepFor(absl::Seconds(atof(argv[3])));
  if (tried) {
    AwaitUntil([&] { return (*agent)->Stats().attempts > 0; });
    // The fault takes its time, and another profile comes to wait behind it.
    const int64_t taken = (*agent)->Stats().taken;
    AwaitUntil([&] { return (*agent)->Stats().taken > taken; });
  }
  if (drained) {
    AwaitUntil([&] {
      const wallprof::AgentStatistics stats = (*agent)->Stats();
      return stats.adopted > 0 && stats.waiting == 0;
    });
  }
  const absl::Time stop = absl::Now();
  (*agent)->Stop();
  std::cout << "stop_ms=" << absl::ToInt64Milliseconds(absl::Now() - stop)
            << '\n';
  Print((*agent)->Stats());
  g_stop = true;
  first.join();
  second.join();
  return 0;
}
