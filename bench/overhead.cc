// What a program pays for being profiled: the same threads, idle, napping or
// computing, bare and with each way of sampling, in turns within one run.
//
//   overhead --help
//
// Columns, medians over the rounds:
//   cpu %    CPU time of the whole process, in per cent of a core, over bare
//   own %    of that, the profiler's own threads
//   work %   work done by the computing threads, relative to bare
//   EINTR    system calls that were interrupted, in all rounds
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "bench/measuring.h"
#include "bench/signal_everything.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

using threads::MonotonicNs;
using threads::NowNs;

constexpr int kHz = 99;

enum class Work { kBlocked, kNapping, kComputing };

struct Flags {
  int rounds = 5;
  double seconds = 2;
  std::vector<int> threads = {1, 100, 1000};
  std::vector<Work> doing = {Work::kBlocked, Work::kNapping, Work::kComputing};
};

double Seconds(int64_t ns) { return static_cast<double>(ns) * 1e-9; }

// --- the program -------------------------------------------------------------

const char* NameOf(Work work) {
  switch (work) {
    case Work::kBlocked:
      return "blocked in poll";
    case Work::kNapping:
      return "napping 10 ms";
    case Work::kComputing:
      return "computing";
  }
  return "";
}

std::atomic<bool> g_stop{false};
std::atomic<int64_t> g_interrupted{0};

struct alignas(64) Worker {
  std::atomic<int64_t> done{0};
};

// Readable when the program is to end.
const int g_end = eventfd(0, EFD_CLOEXEC);

void RunBlocked() {
  while (!g_stop) {
    pollfd end = {g_end, POLLIN, 0};
    if (poll(&end, 1, -1) < 0 && errno == EINTR) ++g_interrupted;
  }
}

void RunNapping() {
  while (!g_stop) {
    if (usleep(10'000) != 0 && errno == EINTR) ++g_interrupted;
  }
}

void RunComputing(Worker& worker) {
  uint64_t value = 1;
  while (!g_stop) {
    for (int i = 0; i < 10'000; ++i) {
      value = value * 6364136223846793005u + 1442695040888963407u;
      asm volatile("" : "+r"(value));
    }
    worker.done.fetch_add(1, std::memory_order_relaxed);
  }
}

void* Main(void* argument) {
  auto& body = *static_cast<std::function<void()>*>(argument);
  body();
  return nullptr;
}

class Program {
 public:
  Program(Work work, int threads) : workers_(static_cast<size_t>(threads)) {
    g_stop = false;
    bodies_.reserve(workers_.size());
    for (Worker& worker : workers_) {
      bodies_.push_back([work, &worker] {
        if (work == Work::kBlocked) return RunBlocked();
        if (work == Work::kNapping) return RunNapping();
        RunComputing(worker);
      });
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      pthread_attr_setstacksize(&attributes, 128 << 10);
      pthread_t thread;
      if (pthread_create(&thread, &attributes, Main, &bodies_.back()) != 0) {
        perror("pthread_create");
        exit(1);
      }
      pthread_attr_destroy(&attributes);
      threads_.push_back(thread);
    }
  }
  ~Program() {
    g_stop = true;
    uint64_t count = 1;
    if (write(g_end, &count, sizeof(count)) < 0) perror("write");
    for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
    if (read(g_end, &count, sizeof(count)) < 0) perror("read");
  }

  int64_t Done() const {
    int64_t done = 0;
    for (const Worker& worker : workers_) done += worker.done;
    return done;
  }

 private:
  std::vector<Worker> workers_;
  std::vector<std::function<void()>> bodies_;
  std::vector<pthread_t> threads_;
};

// --- ways of sampling --------------------------------------------------------

enum class Way { kBare, kWallprof, kSignals };
constexpr Way kWays[] = {Way::kBare, Way::kWallprof, Way::kSignals};

struct Measured {
  double cpu = 0;  // CPU seconds a second
  double own = 0;
  double work = 0;  // units a second
};

Measured MeasureOnce(Way way, const Program& program, double seconds) {
  std::unique_ptr<Profiler> profiler;
  std::unique_ptr<SignalEverything> signals;
  if (way == Way::kWallprof) {
    Options options;
    options.frequency_hz = kHz;
    profiler = Profiler::Start(options).value();
    usleep(300'000);  // all threads seen, all memory touched
  } else if (way == Way::kSignals) {
    signals = std::make_unique<SignalEverything>(kHz);
  }
  const double own =
      profiler ? absl::ToDoubleSeconds(profiler->Stats().cpu_time) : 0;
  const int64_t cpu = NowNs(CLOCK_PROCESS_CPUTIME_ID);
  const int64_t start = MonotonicNs();
  const int64_t done = program.Done();
  SleepFor(seconds);
  const double passed = Seconds(MonotonicNs() - start);
  Measured measured;
  measured.cpu = Seconds(NowNs(CLOCK_PROCESS_CPUTIME_ID) - cpu) / passed;
  measured.work = static_cast<double>(program.Done() - done) / passed;
  if (profiler) {
    measured.own =
        (absl::ToDoubleSeconds(profiler->Stats().cpu_time) - own) / passed;
  }
  return measured;
}

void Compare(Work work, int threads, const Flags& flags) {
  constexpr size_t kWayCount = std::size(kWays);
  std::vector<double> cpu[kWayCount], own[kWayCount], done[kWayCount];
  int64_t interrupted[kWayCount] = {};
  const Program program(work, threads);
  usleep(200'000);
  for (int round = 0; round < flags.rounds; ++round) {
    Measured bare;
    for (size_t way = 0; way < kWayCount; ++way) {
      g_interrupted = 0;
      const Measured measured = MeasureOnce(kWays[way], program, flags.seconds);
      interrupted[way] += g_interrupted;
      if (kWays[way] == Way::kBare) bare = measured;
      cpu[way].push_back(100 * (measured.cpu - bare.cpu));
      own[way].push_back(100 * measured.own);
      done[way].push_back(bare.work > 0 ? 100 * measured.work / bare.work : 0);
    }
  }
  for (size_t way = 1; way < kWayCount; ++way) {
    printf("%8d  %-16s  %-18s  %6.2f  %6.2f  ", threads, NameOf(work),
           kWays[way] == Way::kWallprof ? "wallprof" : "signal every thread",
           Median(cpu[way]), Median(own[way]));
    if (work == Work::kComputing) {
      printf("%6.2f", Median(done[way]));
    } else {
      printf("%6s", "-");
    }
    printf("  %6ld\n", static_cast<long>(interrupted[way]));
    fflush(stdout);
  }
}

void Run(const Flags& flags) {
  printf("%8s  %-16s  %-18s  %6s  %6s  %6s  %6s\n", "threads", "doing",
         "sampled by", "cpu %", "own %", "work %", "EINTR");
  for (const Work work : flags.doing) {
    for (const int threads : flags.threads) Compare(work, threads, flags);
  }
}

}  // namespace
}  // namespace wallprof

int main(int argc, char** argv) {
  wallprof::Flags flags;
  CLI::App app("What a program pays for being profiled, beside bare.");
  app.add_option("--rounds", flags.rounds, "of which the median is shown")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seconds", flags.seconds, "of each way in each round")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", flags.threads, "numbers of threads")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--doing", flags.doing, "what they do: all, if not given")
      ->delimiter(',')
      ->transform(CLI::CheckedTransformer(std::map<std::string, wallprof::Work>{
          {"blocked", wallprof::Work::kBlocked},
          {"napping", wallprof::Work::kNapping},
          {"computing", wallprof::Work::kComputing}}));
  CLI11_PARSE(app, argc, argv);
  wallprof::Run(flags);
}
