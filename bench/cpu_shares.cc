// A program that knows where its CPU time goes: each function reads its
// thread's CPU clock, which nobody has to sample.
//
//   cpu_shares SECONDS
//
// One thread computes in four functions, for times of random length, so that no
// timer falls into step with them. One computes in bursts, shorter than the
// scheduler's ticks, between naps. Three others are blocked throughout. At the
// end each function's share is printed: "share NAME 0.4321".
#include <poll.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "bench/measuring.h"

namespace wallprof {
namespace {

constexpr int64_t kUs = 1000;

// CPU time of each function, by its own clock.
struct Truth {
  int64_t parsing_ns = 0;
  int64_t sorting_ns = 0;
  int64_t writing_ns = 0;
  int64_t checking_ns = 0;
  int64_t bursting_ns = 0;
};

// Computes for as long, and adds what it took.
inline void ComputeAndCount(int64_t cpu_ns, int64_t& total_ns) {
  const int64_t before = threads::NowNs(CLOCK_THREAD_CPUTIME_ID);
  Compute(cpu_ns);
  total_ns += threads::NowNs(CLOCK_THREAD_CPUTIME_ID) - before;
}

// Each has a frame of its own: no call in it is its last statement.
#define WALLPROF_COUNTED(name, field)                                 \
  __attribute__((noinline)) void name(int64_t cpu_ns, Truth& truth) { \
    ComputeAndCount(cpu_ns, truth.field);                             \
    asm volatile("" ::: "memory");                                    \
  }
WALLPROF_COUNTED(Parsing, parsing_ns)
WALLPROF_COUNTED(Sorting, sorting_ns)
WALLPROF_COUNTED(Writing, writing_ns)
WALLPROF_COUNTED(Checking, checking_ns)
WALLPROF_COUNTED(Bursting, bursting_ns)
#undef WALLPROF_COUNTED

std::atomic<bool> g_stop{false};

void Mixed(Truth& truth) {
  std::mt19937 random(1);
  std::discrete_distribution<int> which({45, 30, 20, 5});
  std::uniform_int_distribution<int64_t> length(200 * kUs, 3000 * kUs);
  constexpr decltype(&Parsing) kFunctions[] = {Parsing, Sorting, Writing,
                                               Checking};
  while (!g_stop) kFunctions[which(random)](length(random), truth);
}

void Bursts(Truth& truth) {
  std::mt19937 random(2);
  std::uniform_int_distribution<int64_t> length(100 * kUs, 900 * kUs);
  while (!g_stop) {
    Bursting(length(random), truth);
    poll(nullptr, 0, 2);
  }
}

}  // namespace
}  // namespace wallprof

int main(int argc, char** argv) {
  using wallprof::Truth;
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0;
  if (!(seconds > 0)) {
    std::fprintf(stderr, "cpu_shares SECONDS\n");
    return 2;
  }
  Truth mixed;
  Truth bursts;
  int ends[2];
  if (pipe(ends) != 0) return 1;
  std::vector<std::thread> threads;
  threads.emplace_back(wallprof::Mixed, std::ref(mixed));
  threads.emplace_back(wallprof::Bursts, std::ref(bursts));
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&ends] {
      pollfd end = {ends[0], POLLIN, 0};
      while (poll(&end, 1, -1) != 1) {
      }
    });
  }
  wallprof::SleepFor(seconds);
  wallprof::g_stop = true;
  close(ends[1]);  // the pipe's other end sees it
  for (std::thread& thread : threads) thread.join();
  const double total = static_cast<double>(
      mixed.parsing_ns + mixed.sorting_ns + mixed.writing_ns +
      mixed.checking_ns + bursts.bursting_ns);
  const auto print = [total](const char* name, int64_t ns) {
    std::printf("share %s %.6f\n", name, static_cast<double>(ns) / total);
  };
  print("Parsing", mixed.parsing_ns);
  print("Sorting", mixed.sorting_ns);
  print("Writing", mixed.writing_ns);
  print("Checking", mixed.checking_ns);
  print("Bursting", bursts.bursting_ns);
  std::printf("seconds %.3f\n", total / 1e9);
}
