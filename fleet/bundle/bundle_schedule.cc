#include "wallprof/bundle_schedule.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/bundle/bundle_files.h"
#include "fleet/bundle/json.h"
#include "fleet/bundle/profiler_source.h"
#include "fleet/bundle/schedule_loop.h"
#include "fleet/bundle/write.h"
#include "fleet/calls/calls.h"
#include "wallprof/variables.h"

namespace wallprof {
namespace {

// More often, it would be bundles of the taking of bundles.
constexpr absl::Duration kMinInterval = absl::Seconds(1);

// Far beyond what anybody means, and far below what clocks can count.
constexpr absl::Duration kMaxInterval = absl::Hours(24 * 365);

std::string CountsJson(const BundleCounts& counts) {
  return bundle::Json{{"written", counts.written},
                      {"failed", counts.failed},
                      {"parts_left_out", counts.parts_left_out},
                      {"removed", counts.removed},
                      {"last_error", counts.last_error}}
      .dump(-1, ' ', false, bundle::Json::error_handler_t::replace);
}

}  // namespace

absl::Status BundleScheduleOptions::Validate() const {
  if (absl::Status valid = bundle.Validate(); !valid.ok()) return valid;
  if (directory.empty() == (store == nullptr)) {
    return absl::InvalidArgumentError(
        "bundles need a directory or a store, and not both");
  }
  if (keep_for <= absl::ZeroDuration() || keep_bytes <= 0) {
    return absl::InvalidArgumentError(
        "keep_for and keep_bytes must be above zero");
  }
  if (first_after < absl::ZeroDuration() || first_after > kMaxInterval) {
    return absl::InvalidArgumentError(
        "first_after must be from zero to a year");
  }
  if (interval < kMinInterval || interval > kMaxInterval ||
      jitter < absl::ZeroDuration() || jitter > interval) {
    return absl::InvalidArgumentError(absl::StrCat(
        "interval must be at least ", absl::FormatDuration(kMinInterval),
        " and at most a year, and jitter from zero to that"));
  }
  return absl::OkStatus();
}

BundleOptions BundleScheduleOptions::Timed(absl::Duration profile) {
  BundleOptions options;
  options.profile = profile;
  return options;
}

// Shared by the schedule, its thread, and whoever ends it at exit.
class BundleSchedule::State {
 public:
  State(const BundleScheduleOptions& options, Profiler& profiler,
        std::shared_ptr<BundleStore> store, bundle::BundleFiles* files)
      : options_(options),
        source_(profiler),
        store_(std::move(store)),
        files_(files) {}

  // Starts the thread that calls the program, from one that has the program's
  // descriptors. Where all threads of ours are of one table, the program has
  // nothing to be called.
  absl::Status StartCalls(Profiler& profiler,
                          const std::shared_ptr<State>& self) {
    const absl::Status started =
        profiler.RunUnsampled("wallprof-calls", [self] { self->calls_.Run(); });
    has_calls_ = started.ok();
    return absl::IsFailedPrecondition(started) ? absl::OkStatus() : started;
  }
  void EndCalls() {
    if (has_calls_) calls_.Finish();
  }

  // The thread's.
  void Run() {
    std::mt19937 random(std::random_device{}());
    std::uniform_real_distribution<double> fraction(0, 1);
    {
      const Variable variable("wallprof_bundles",
                              [this] { return CountsJson(Counts()); });
      bundle::RunSchedule(options_,
                          {[this](absl::Duration time) { return Wait(time); },
                           [&] { return fraction(random); },
                           [this](bool measured) { Take(measured); }});
    }
    std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  void Stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return ended_; });
    lock.unlock();
    EndCalls();
  }

  BundleCounts Counts() const {
    std::lock_guard lock(mutex_);
    return counts_;
  }

  bool IsOfThisProcess() const { return pid_ == getpid(); }

 private:
  bool Wait(absl::Duration time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoNanoseconds(time),
                      [this] { return stopping_; });
    return !stopping_;
  }

  bool IsStopping() const {
    std::lock_guard lock(mutex_);
    return stopping_;
  }

  void Take(bool measured) {
    const absl::Time now = absl::Now();
    BundleOptions options = options_.bundle;
    if (!measured) options.profile = absl::ZeroDuration();
    options.cancelled = nullptr;
    options.enough = [this] { return IsStopping(); };
    BundleReport report;
    const absl::Status kept = store_->Put(
        BundleKey(options.identity, now), [&](const BundleSink& sink) {
          absl::StatusOr<BundleReport> written =
              bundle::WriteBundleAt(source_, options, now, sink,
                                    [this](const std::function<void()>& call) {
                                      has_calls_ ? calls_.Do(call) : call();
                                    });
          if (written.ok()) report = *std::move(written);
          return written.status();
        });
    Count(kept, report);
  }

  void Count(const absl::Status& kept, const BundleReport& report) {
    std::lock_guard lock(mutex_);
    ++(kept.ok() ? counts_.written : counts_.failed);
    counts_.last_error = std::string(kept.message());
    if (files_ != nullptr) counts_.removed = files_->removed();
    for (const BundlePart& part : report.parts) {
      // What took no time was not tried.
      if (kept.ok() && !part.taken && part.took > absl::ZeroDuration()) {
        ++counts_.parts_left_out;
      }
    }
  }

  const BundleScheduleOptions options_;
  const pid_t pid_ = getpid();
  bundle::ProfilerSource source_;
  const std::shared_ptr<BundleStore> store_;
  bundle::BundleFiles* const files_;  // the store, if it is of files
  fleet::Calls calls_;
  bool has_calls_ = false;    // set before the schedule's thread starts
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  bool ended_ = false;
  BundleCounts counts_;
};

namespace {

// Schedules that are to end when the program calls exit, which leaves objects
// of main as they are.
struct ExitList {
  std::mutex mutex;
  std::vector<std::pair<const void*, std::function<void()>>> stops;
};

// Never destroyed.
ExitList& AtExit() {
  static ExitList& list = *new ExitList;
  return list;
}

// A forked child has none of them, and finds the lock free.
[[maybe_unused]] const int g_fork_error = pthread_atfork(
    [] { AtExit().mutex.lock(); }, [] { AtExit().mutex.unlock(); },
    [] {
      AtExit().stops.clear();
      AtExit().mutex.unlock();
    });

void StopAll() {
  std::vector<std::pair<const void*, std::function<void()>>> stops;
  {
    std::lock_guard lock(AtExit().mutex);
    stops.swap(AtExit().stops);
  }
  for (const auto& [schedule, stop] : stops) stop();
}

void StopAtExit(const void* schedule, std::function<void()> stop) {
  [[maybe_unused]] static const int registered = std::atexit(StopAll);
  std::lock_guard lock(AtExit().mutex);
  AtExit().stops.emplace_back(schedule, std::move(stop));
}

void ForgetAtExit(const void* schedule) {
  std::lock_guard lock(AtExit().mutex);
  auto& stops = AtExit().stops;
  stops.erase(
      std::remove_if(stops.begin(), stops.end(),
                     [&](const auto& each) { return each.first == schedule; }),
      stops.end());
}

}  // namespace

BundleSchedule::BundleSchedule(std::shared_ptr<State> state)
    : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<BundleSchedule>> BundleSchedule::Start(
    const BundleScheduleOptions& options, Profiler& profiler) {
  if (absl::Status valid = options.Validate(); !valid.ok()) return valid;
  std::shared_ptr<BundleStore> store = options.store;
  bundle::BundleFiles* files = nullptr;
  if (store == nullptr) {
    // The program may go elsewhere.
    auto made = std::make_shared<bundle::BundleFiles>(
        std::filesystem::absolute(options.directory).string(),
        bundle::Retention{options.keep_for, options.keep_bytes}, absl::Now);
    if (absl::Status ready = made->Prepare(); !ready.ok()) return ready;
    files = made.get();
    store = std::move(made);
  }
  auto state =
      std::make_shared<State>(options, profiler, std::move(store), files);
  if (absl::Status calls = state->StartCalls(profiler, state); !calls.ok()) {
    return calls;
  }
  const absl::Status started =
      profiler.RunPrivately("wallprof-bundle", [state] { state->Run(); });
  if (!started.ok()) {
    state->EndCalls();
    return started;
  }
  StopAtExit(state.get(), [weak = std::weak_ptr<State>(state)] {
    const std::shared_ptr<State> running = weak.lock();
    if (running != nullptr && running->IsOfThisProcess()) running->Stop();
  });
  return std::unique_ptr<BundleSchedule>(new BundleSchedule(std::move(state)));
}

BundleSchedule::~BundleSchedule() {
  if (!state_->IsOfThisProcess()) {
    // Its thread is not here, and its lock in whatever state: it is left as it
    // is.
    new std::shared_ptr<State>(std::move(state_));
    return;
  }
  ForgetAtExit(state_.get());
  Stop();
}

void BundleSchedule::Stop() {
  if (state_->IsOfThisProcess()) state_->Stop();
}

BundleCounts BundleSchedule::Counts() const {
  return state_->IsOfThisProcess() ? state_->Counts() : BundleCounts();
}

}  // namespace wallprof
