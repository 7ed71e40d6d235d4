// What a program notices of being sampled: threads that block in every way,
// compute in between and check what came of it, with more threads computing
// than there are cores; bare, sampled by us, and by signalling every thread.
//
//   harm --help
//
// Columns, over all rounds:
//   calls      made
//   EINTR      of them, interrupted by no signal of the program's own
//   early      of them, returned before their time or before they were woken
//   median us  time that a timed call took beyond what it asked for, or that a
//              woken one took to return; for each way of running
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/harm/blocking_call.h"
#include "bench/measuring.h"
#include "bench/signal_everything.h"
#include "profiler/threads/clock.h"
#include "wallprof/profiler.h"

namespace wallprof::harm {
namespace {

using threads::MonotonicNs;

enum class Way { kBare, kWallprof, kSignals };

// What came of one call's repetitions.
struct Outcome {
  int64_t calls = 0;
  int64_t interrupted = 0;
  int64_t early = 0;
  int64_t failed = 0;
  std::vector<double> beyond_us;

  void Add(const Outcome& other) {
    calls += other.calls;
    interrupted += other.interrupted;
    early += other.early;
    failed += other.failed;
    beyond_us.insert(beyond_us.end(), other.beyond_us.begin(),
                     other.beyond_us.end());
  }
};

// A thread that computes and makes the call in turns, and the one that wakes
// it.
class Caller {
 public:
  explicit Caller(BlockingCall& call) : call_(call) {
    blocker_ = std::thread([this] { Run(); });
    if (call_.at_least_ns() == 0) waker_ = std::thread([this] { Wake(); });
  }

  void Stop() { stop_ = true; }

  Outcome Join() {
    blocker_.join();
    if (waker_.joinable()) waker_.join();
    return outcome_;
  }

 private:
  // Between two calls: so that many looks find the thread just back from one.
  static constexpr int64_t kComputeNs = 300'000;
  static constexpr timespec kBeforeWaking = {0, 2'000'000};
  static constexpr timespec kPoll = {0, 300'000};

  void Run() {
    while (!stop_) {
      Compute(kComputeNs);
      waked_ns_ = 0;
      waiting_ = true;
      const int64_t before = MonotonicNs();
      const int error = call_.Block();
      const int64_t after = MonotonicNs();
      const int64_t woken = waked_ns_;
      ++outcome_.calls;
      if (error == EINTR) {
        ++outcome_.interrupted;
      } else if (error != 0) {
        ++outcome_.failed;
      }
      const int64_t due = call_.at_least_ns() > 0
                              ? before + call_.at_least_ns()
                              : (woken == 0 ? after + 1 : woken);
      if (after < due) ++outcome_.early;
      outcome_.beyond_us.push_back(static_cast<double>(after - due) / 1e3);
      // What was begun to wake it is to end before the next call.
      while (waker_.joinable() && waiting_) nanosleep(&kPoll, nullptr);
    }
    done_ = true;
  }

  void Wake() {
    while (!done_) {
      nanosleep(&kPoll, nullptr);
      if (!waiting_) continue;
      nanosleep(&kBeforeWaking, nullptr);
      waked_ns_ = MonotonicNs();
      call_.Wake();
      waiting_ = false;
    }
  }

  BlockingCall& call_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  std::atomic<bool> waiting_{false};
  std::atomic<int64_t> waked_ns_{0};
  Outcome outcome_;  // the blocker's
  std::thread blocker_;
  std::thread waker_;
};

struct Flags {
  int rounds = 3;
  double seconds = 5;
  int hz = 99;
  bool check = false;
  bool signals = false;
};

using Outcomes = std::map<std::string, Outcome>;
using Calls = std::vector<std::unique_ptr<BlockingCall>>;

struct Round {
  Outcomes outcomes;
  Statistics stats;
};

Round RunOnce(Way way, const Calls& calls, const Flags& flags) {
  std::unique_ptr<Profiler> profiler;
  std::unique_ptr<SignalEverything> signals;
  if (way == Way::kWallprof) {
    Options options;
    options.frequency_hz = flags.hz;
    profiler = Profiler::Start(options).value();
  } else if (way == Way::kSignals) {
    signals = std::make_unique<SignalEverything>(flags.hz);
  }
  std::atomic<bool> stop{false};
  std::vector<std::thread> computing;
  for (unsigned i = 0; i <= std::thread::hardware_concurrency(); ++i) {
    computing.emplace_back([&] {
      while (!stop) Compute(1'000'000);
    });
  }
  std::vector<std::unique_ptr<Caller>> callers;
  for (const auto& call : calls) {
    callers.push_back(std::make_unique<Caller>(*call));
  }
  SleepFor(flags.seconds);
  for (const auto& caller : callers) caller->Stop();
  Round round;
  for (size_t i = 0; i < callers.size(); ++i) {
    round.outcomes[calls[i]->name()] = callers[i]->Join();
  }
  stop = true;
  for (std::thread& thread : computing) thread.join();
  if (profiler) round.stats = profiler->Stats();
  return round;
}

// All rounds of one way of running.
struct Results {
  Outcomes outcomes;
  std::map<std::string, std::vector<double>> medians;  // of each round
  int64_t interrupts = 0;
  int64_t eintr_delivered = 0;

  void Add(const Round& round) {
    for (const auto& [name, outcome] : round.outcomes) {
      outcomes[name].Add(outcome);
      medians[name].push_back(Median(outcome.beyond_us));
    }
    interrupts += round.stats.interrupts;
    eintr_delivered = round.stats.eintr_delivered;
  }
  Outcome Total() const {
    Outcome total;
    for (const auto& [name, outcome] : outcomes) total.Add(outcome);
    return total;
  }
};

void PrintCounts(const Outcome& outcome) {
  printf("  %8ld %6ld %6ld", static_cast<long>(outcome.calls),
         static_cast<long>(outcome.interrupted),
         static_cast<long>(outcome.early));
}

void Print(const Calls& calls, const Results& bare, const Results& sampled,
           const char* way) {
  printf("\n%-22s  %-22s  %-22s  %9s %9s\n", "", "bare", way, "median us", "");
  printf("%-22s", "call");
  for (int i = 0; i < 2; ++i)
    printf("  %8s %6s %6s", "calls", "EINTR", "early");
  printf("  %9s %9s\n", "bare", "sampled");
  for (const auto& call : calls) {
    const std::string& name = call->name();
    printf("%-22s", name.c_str());
    PrintCounts(bare.outcomes.at(name));
    PrintCounts(sampled.outcomes.at(name));
    printf("  %9.0f %9.0f\n", Median(bare.medians.at(name)),
           Median(sampled.medians.at(name)));
  }
  printf("%-22s", "all");
  PrintCounts(bare.Total());
  PrintCounts(sampled.Total());
  printf(
      "\n%ld running threads were asked; %ld of them came from a call that a "
      "signal, perhaps of the program's own, had interrupted\n",
      static_cast<long>(sampled.interrupts),
      static_cast<long>(sampled.eintr_delivered));
  fflush(stdout);
}

// How far the rounds of one way are from each other.
double Spread(const std::vector<double>& medians) {
  const auto [low, high] = std::minmax_element(medians.begin(), medians.end());
  return *high - *low;
}

// Whether calls take as long as bare: to within twice the spread of bare
// rounds among themselves. Their number is shown whatever it is; a program of
// so many threads on few cores has calls that differ by chance.
int CountSlower(const Results& bare, const Results& sampled) {
  int slower = 0;
  for (const auto& [name, medians] : sampled.medians) {
    const std::vector<double>& of_bare = bare.medians.at(name);
    const double difference = Median(medians) - Median(of_bare);
    if (std::abs(difference) <= 2 * Spread(of_bare)) continue;
    printf("%s: %+.0f us, where bare rounds differ by %.0f us\n", name.c_str(),
           difference, Spread(of_bare));
    ++slower;
  }
  return slower;
}

// One sentence a complaint.
int Check(const Calls& calls, const Results& bare, const Results& sampled) {
  int complaints = 0;
  for (const auto& call : calls) {
    const std::string& name = call->name();
    const Outcome& outcome = sampled.outcomes.at(name);
    const Outcome& of_bare = bare.outcomes.at(name);
    // One is chance, where it may happen at all.
    const bool allowed =
        outcome.interrupted * call->calls_per_interruption() <= outcome.calls ||
        (outcome.interrupted == 1 && call->calls_per_interruption() < 1000);
    if (!allowed) {
      printf("harm: %ld of %ld %s were interrupted\n",
             static_cast<long>(outcome.interrupted),
             static_cast<long>(outcome.calls), name.c_str());
      ++complaints;
    }
    if (outcome.early > of_bare.early + (allowed ? outcome.interrupted : 0)) {
      printf("harm: %s returned early %ld times, %ld times bare\n",
             name.c_str(), static_cast<long>(outcome.early),
             static_cast<long>(of_bare.early));
      ++complaints;
    }
    if (outcome.failed > 0 || outcome.calls == 0) {
      printf("harm: %s failed %ld times of %ld\n", name.c_str(),
             static_cast<long>(outcome.failed),
             static_cast<long>(outcome.calls));
      ++complaints;
    }
  }
  return complaints;
}

int Run(const Flags& flags) {
  Calls calls = TimedCalls();
  for (auto& call : WokenCalls()) calls.push_back(std::move(call));
  if (auto uring = UringCall()) {
    calls.push_back(std::move(uring));
  } else {
    printf("io_uring is not available here: left out\n");
  }
  const Way way = flags.signals ? Way::kSignals : Way::kWallprof;
  Results bare, sampled;
  for (int round = 0; round < flags.rounds; ++round) {
    bare.Add(RunOnce(Way::kBare, calls, flags));
    sampled.Add(RunOnce(way, calls, flags));
  }
  Print(calls, bare, sampled,
        flags.signals ? "every thread signalled" : "wallprof");
  if (flags.rounds >= 3) {
    printf("%d of %zu calls take another time than bare\n",
           CountSlower(bare, sampled), calls.size());
  }
  return flags.check && Check(calls, bare, sampled) > 0 ? 1 : 0;
}

}  // namespace
}  // namespace wallprof::harm

int main(int argc, char** argv) {
  wallprof::harm::Flags flags;
  CLI::App app("What a program notices of being sampled.");
  app.add_option("--rounds", flags.rounds, "bare and sampled, in turns")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seconds", flags.seconds, "of each run")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--hz", flags.hz, "looks a second")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_flag("--signals", flags.signals,
               "sample by signalling every thread instead");
  app.add_flag("--check", flags.check,
               "fail if a call was interrupted or returned early");
  CLI11_PARSE(app, argc, argv);
  return wallprof::harm::Run(flags);
}
