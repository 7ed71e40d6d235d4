// What a program pays for having its CPU time measured alone, and what samples
// it gets for that: threads that compute, are blocked, or hand on to each
// other, bare and with each way of sampling, in turns within one run.
//
//   cpu_only --help
//
// Columns, medians over the rounds:
//   cpu %    CPU time of the whole process, in per cent of a core, over bare
//   own %    of that, the profiler's own threads
//   work %   work done in the program's own CPU time, relative to bare
//   a second samples in a second of the program's CPU time
//   dropped  samples that found the buffer full, in all rounds
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "bench/measuring.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

using threads::MonotonicNs;
using threads::NowNs;

struct Flags {
  int rounds = 5;
  double seconds = 2;
};

// --- the program -------------------------------------------------------------

std::atomic<bool> g_stop{false};
std::atomic<int64_t> g_done{0};
const int g_end = eventfd(0, EFD_CLOEXEC);  // readable at the end
sem_t g_turns[2];

void* Computing(void*) {
  uint64_t value = 1;
  while (!g_stop) {
    for (int i = 0; i < 100'000; ++i) {
      value = value * 6364136223846793005u + 1442695040888963407u;
      asm volatile("" : "+r"(value));
    }
    g_done.fetch_add(1, std::memory_order_relaxed);
  }
  return nullptr;
}

void* Blocked(void*) {
  pollfd end = {g_end, POLLIN, 0};
  poll(&end, 1, -1);
  return nullptr;
}

// Two of these are switched to as often as a kernel can.
void* HandingOn(void* self) {
  const bool second = self != nullptr;
  while (!g_stop) {
    sem_wait(&g_turns[second ? 1 : 0]);
    sem_post(&g_turns[second ? 0 : 1]);
    g_done.fetch_add(1, std::memory_order_relaxed);
  }
  sem_post(&g_turns[second ? 0 : 1]);
  return nullptr;
}

class Program {
 public:
  Program(void* (*body)(void*), int threads) {
    g_stop = false;
    sem_init(&g_turns[0], 0, 1);
    sem_init(&g_turns[1], 0, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    for (int i = 0; i < threads; ++i) {
      pthread_t thread;
      if (pthread_create(&thread, &attributes, body,
                         i % 2 == 0 ? nullptr : this) != 0) {
        perror("pthread_create");
        exit(1);
      }
      threads_.push_back(thread);
    }
    pthread_attr_destroy(&attributes);
  }
  ~Program() {
    g_stop = true;
    uint64_t count = 1;
    if (write(g_end, &count, sizeof(count)) < 0) perror("write");
    for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
    if (read(g_end, &count, sizeof(count)) < 0) perror("read");
  }

 private:
  std::vector<pthread_t> threads_;
};

// --- ways of sampling --------------------------------------------------------

struct Way {
  const char* name;
  int hz;  // 0: bare
  bool cpu_only;
};
constexpr Way kWays[] = {{"bare", 0, false},
                         {"wall, 99 Hz", 99, false},
                         {"CPU only, 99 Hz", 99, true},
                         {"CPU only, 999 Hz", 999, true}};
constexpr size_t kWayCount = std::size(kWays);

struct Measured {
  double cpu = 0;   // CPU seconds a second
  double own = 0;   // of which the profiler's
  double work = 0;  // units a CPU second of the program
  double rate = 0;
  int64_t dropped = 0;
};

double OwnSeconds(Profiler* profiler) {
  return profiler == nullptr
             ? 0
             : absl::ToDoubleSeconds(profiler->Stats().cpu_time);
}

// The profiler is there before the threads, as in a program that is preloaded.
Measured MeasureOnce(const Way& way, void* (*body)(void*), int threads,
                     double seconds) {
  std::unique_ptr<Profiler> profiler;
  if (way.hz != 0) {
    Options options;
    options.frequency_hz = way.hz;
    options.cpu_only = way.cpu_only;
    profiler = Profiler::Start(options).value();
    SleepFor(0.05);
  }
  const Program program(body, threads);
  SleepFor(0.5);  // all threads seen, all memory touched
  const double own = OwnSeconds(profiler.get());
  const int64_t cpu = NowNs(CLOCK_PROCESS_CPUTIME_ID);
  const int64_t start = MonotonicNs();
  const int64_t done = g_done;
  SleepFor(seconds);
  const double passed = static_cast<double>(MonotonicNs() - start) * 1e-9;
  const double used =
      static_cast<double>(NowNs(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e-9;
  const double own_used = OwnSeconds(profiler.get()) - own;
  Measured measured;
  measured.cpu = used / passed;
  measured.own = own_used / passed;
  measured.work = static_cast<double>(g_done - done) / (used - own_used);
  if (way.cpu_only) {
    const Statistics stats = profiler->Stats();
    measured.rate = stats.achieved_hz;
    measured.dropped = stats.lost.dropped;
    if (stats.source != "perf-events") {
      fprintf(stderr, "no perf events here: sampled by %s\n",
              stats.source.c_str());
    }
  }
  return measured;
}

void Compare(const char* doing, void* (*body)(void*), int threads,
             const Flags& flags) {
  std::vector<double> cpu[kWayCount], own[kWayCount], work[kWayCount],
      rate[kWayCount];
  std::vector<double> bare_work;
  int64_t dropped[kWayCount] = {};
  for (int round = 0; round < flags.rounds; ++round) {
    Measured bare;
    for (size_t i = 0; i < kWayCount; ++i) {
      const Measured measured =
          MeasureOnce(kWays[i], body, threads, flags.seconds);
      if (i == 0) {
        bare = measured;
        bare_work.push_back(bare.work);
      }
      cpu[i].push_back(100 * (measured.cpu - bare.cpu));
      own[i].push_back(100 * measured.own);
      work[i].push_back(100 * measured.work / bare.work);
      rate[i].push_back(measured.rate);
      dropped[i] += measured.dropped;
    }
  }
  if (body != Blocked) {
    printf("%8d  %-15s  %-16s  %.0f units a CPU second\n", threads, doing,
           kWays[0].name, Median(bare_work));
  }
  for (size_t i = 1; i < kWayCount; ++i) {
    printf("%8d  %-15s  %-16s  %6.3f  %6.3f  ", threads, doing, kWays[i].name,
           Median(cpu[i]), Median(own[i]));
    if (body == Blocked) {
      printf("%6s  %8s", "-", "-");
    } else {
      printf("%6.2f  %8.1f", Median(work[i]), Median(rate[i]));
    }
    printf("  %7ld\n", static_cast<long>(dropped[i]));
    fflush(stdout);
  }
}

void Run(const Flags& flags) {
  printf("%8s  %-15s  %-16s  %6s  %6s  %6s  %8s  %7s\n", "threads", "doing",
         "sampled by", "cpu %", "own %", "work %", "a second", "dropped");
  Compare("computing", Computing, 1, flags);
  Compare("computing", Computing, 2, flags);
  Compare("handing on", HandingOn, 2, flags);
  Compare("blocked in poll", Blocked, 1000, flags);
  Compare("blocked in poll", Blocked, 10000, flags);
}

}  // namespace
}  // namespace wallprof

int main(int argc, char** argv) {
  wallprof::Flags flags;
  CLI::App app("What measuring CPU time alone costs, beside bare.");
  app.add_option("--rounds", flags.rounds, "of which the median is shown")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seconds", flags.seconds, "of each way in each round")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  wallprof::Run(flags);
}
