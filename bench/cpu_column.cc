// The CPU column of a wall profile, and the CPU-only profile, against the
// threads' own clocks: for threads that compute, nap and wait for each other.
//
//   cpu_column --help
#include <poll.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/measuring.h"
#include "profiler/threads/cpu_clock.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

std::atomic<bool> g_stop{false};

constexpr int64_t kMs = 1'000'000;

void Computing() {
  while (!g_stop) Compute(5 * kMs);
}

void Napping() {
  while (!g_stop) {
    Compute(2 * kMs);
    poll(nullptr, 0, 7);
  }
}

// Bursts shorter than the scheduler's tick, which no answer falls into.
void NappingShortly() {
  while (!g_stop) {
    Compute(kMs / 5);
    poll(nullptr, 0, 1);
  }
}

// Two that hand on to each other.
sem_t g_turns[2];

void TakingTurns(size_t self) {
  while (!g_stop) {
    sem_wait(&g_turns[self]);
    Compute(3 * kMs);
    sem_post(&g_turns[1 - self]);
  }
}

struct Thread {
  std::string name;
  std::function<void()> body;
  std::atomic<threads::Tid> tid{0};
  std::thread thread;
};

struct Flags {
  double seconds = 10;
  int hz = 99;
  double check = 0;
};

// CPU nanoseconds of a profile by thread number.
std::map<int64_t, int64_t> CpuByThread(const Profile& profile) {
  const int cpu_type = SampleTypeIndex(profile, "cpu");
  std::map<int64_t, int64_t> cpu;
  for (const Sample& sample : profile.samples) {
    for (const Label& label : sample.labels) {
      if (label.key == "tid") cpu[label.number] += sample.values[cpu_type];
    }
  }
  return cpu;
}

struct Cpu {
  int64_t clock_ns = 0;
  int64_t column_ns = 0;    // of the wall profile
  int64_t cpu_only_ns = 0;  // of the profile that has CPU time alone

  static double Ratio(int64_t said_ns, int64_t clock_ns) {
    return static_cast<double>(said_ns) / static_cast<double>(clock_ns);
  }
  double column_ratio() const { return Ratio(column_ns, clock_ns); }
  double cpu_only_ratio() const { return Ratio(cpu_only_ns, clock_ns); }

  void Print(const std::string& name) const {
    printf("%-16s %9.4f %9.4f %8.4f %9.4f %8.4f\n", name.c_str(),
           static_cast<double>(clock_ns) / 1e9,
           static_cast<double>(column_ns) / 1e9, column_ratio(),
           static_cast<double>(cpu_only_ns) / 1e9, cpu_only_ratio());
  }
};

int Run(const Flags& flags) {
  sem_init(&g_turns[0], 0, 1);
  sem_init(&g_turns[1], 0, 0);
  std::vector<Thread> threads(5);
  threads[0].name = "computing";
  threads[0].body = Computing;
  threads[1].name = "napping";
  threads[1].body = Napping;
  threads[2].name = "napping shortly";
  threads[2].body = NappingShortly;
  for (size_t i : {0u, 1u}) {
    threads[3 + i].name = "taking turns";
    threads[3 + i].body = [i] { TakingTurns(i); };
  }
  for (Thread& thread : threads) {
    thread.thread = std::thread([&thread] {
      thread.tid = static_cast<threads::Tid>(syscall(SYS_gettid));
      thread.body();
    });
    while (thread.tid == 0) usleep(100);
  }
  Options options;
  options.frequency_hz = flags.hz;
  const auto profiler = Profiler::Start(options).value();
  profiler->Collect(absl::Milliseconds(100)).value();
  std::vector<int64_t> before, after;
  for (const Thread& thread : threads) {
    before.push_back(threads::CpuTimeOf(thread.tid));
  }
  const absl::StatusOr<Profile> profile = profiler->Collect(
      absl::Seconds(flags.seconds), {.frequency_hz = 0, .cancelled = nullptr});
  for (const Thread& thread : threads) {
    after.push_back(threads::CpuTimeOf(thread.tid));
  }
  g_stop = true;
  for (sem_t& turn : g_turns) sem_post(&turn);
  for (Thread& thread : threads) thread.thread.join();
  std::map<int64_t, int64_t> column = CpuByThread(*profile);
  std::map<int64_t, int64_t> cpu_only =
      CpuByThread(SelectView(*profile, View::kCpu).value());
  printf(
      "CPU seconds: clock, CPU column, its ratio, CPU-only profile, ratio\n");
  Cpu all;
  for (size_t i = 0; i < threads.size(); ++i) {
    const threads::Tid tid = threads[i].tid;
    const Cpu cpu{after[i] - before[i], column[tid], cpu_only[tid]};
    cpu.Print(threads[i].name);
    all.clock_ns += cpu.clock_ns;
    all.column_ns += cpu.column_ns;
    all.cpu_only_ns += cpu.cpu_only_ns;
  }
  all.Print("all");
  const double worst = std::max(std::abs(all.column_ratio() - 1),
                                std::abs(all.cpu_only_ratio() - 1));
  if (flags.check > 0 && worst * 100 > flags.check) {
    printf("cpu_column: further off than %g %%\n", flags.check);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace wallprof

int main(int argc, char** argv) {
  wallprof::Flags flags;
  CLI::App app(
      "The CPU column and the CPU-only profile against the "
      "threads' clocks.");
  app.add_option("--seconds", flags.seconds, "of the profile")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--hz", flags.hz, "looks a second")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--check", flags.check,
                 "fail if the total is off by more than that, in per cent");
  CLI11_PARSE(app, argc, argv);
  return wallprof::Run(flags);
}
