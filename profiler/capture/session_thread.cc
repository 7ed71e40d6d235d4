// What a session's own thread does.
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <utility>

#include "profiler/capture/cpu/cpu_sampler.h"
#include "profiler/capture/sampler.h"
#include "profiler/capture/session.h"
#include "profiler/capture/tick_schedule.h"
#include "profiler/threads/clock.h"
#include "profiler/threads/proc_file.h"

namespace wallprof::capture {
namespace {

// At this fullness the table is emptied, as soon as nobody measures.
constexpr double kFullEnough = 0.7;

// The clock is tested only in programs that live longer than this.
constexpr int64_t kClockTestAfterNs = 200'000'000;

// How often it is asked what the program has given up: takes 3 us.
constexpr int64_t kFollowPrivilegesNs = 100'000'000;

timespec ToTimespec(int64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000),
          static_cast<long>(ns % 1'000'000'000)};
}

}  // namespace

void Session::Main() {
  {
    // A fork waits until all this stands.
    std::lock_guard tick(tick_mutex_);
    if (!EnterPrivateDescriptorTable()) {
      kernel_.Add({"private-descriptors", "unshare failed", "shared"});
    }
  }
  tick_mutex_.lock();
  std::unique_ptr<AnySampler> sampler =
      options_.cpu_only ? MakeCpuSampler() : MakeSampler();
  tick_mutex_.unlock();
  {
    std::lock_guard lock(mutex_);
    sampler_made_ = true;
    stopped_.notify_all();
  }
  StartCompanion();
  if (sampler != nullptr) Loop(*sampler);
  // What is open is so in this thread's table.
  sampler.reset();
  tasks_.Close();
  std::lock_guard lock(mutex_);
  sampler_ended_ = true;
  // Whoever waits for a task's end sees that it will not run.
  posted_.clear();
  stopped_.notify_all();
}

std::unique_ptr<AnySampler> Session::MakeSampler() {
  kernel_.Examine(tasks_);
  interrupter_->set_delivery(kernel_.has_cpu_timers()
                                 ? Interrupter::Delivery::kCpuTimer
                                 : Interrupter::Delivery::kSignal);
  return std::make_unique<Sampler>(*recording_, own_threads_, tasks_,
                                   *interrupter_, kernel_, loader_,
                                   lock_functions_);
}

// nullptr where there is no way to.
std::unique_ptr<AnySampler> Session::MakeCpuSampler() {
  std::vector<threads::Tid> threads;
  tasks_.List(threads);
  threads.erase(std::remove_if(threads.begin(), threads.end(),
                               [this](threads::Tid tid) {
                                 return own_threads_.Contains(tid);
                               }),
                threads.end());
  auto events =
      PerfEvents::Open(threads, options_.frequency_hz, options_.request_bytes);
  if (events.ok()) {
    source_ = "perf-events";
    return std::make_unique<CpuSampler>(*std::move(events), *recording_,
                                        own_threads_, tasks_, kernel_, loader_,
                                        [this] { Wake(); });
  }
  // The next best: looks at all threads, of which their CPU time is kept.
  kernel_.Add({"perf-events", std::string(events.status().message()),
               "looks at all threads"});
  if (const absl::Status made = MakeInterrupter(); !made.ok()) {
    kernel_.Add({"signal-handler", std::string(made.message()), "nothing"});
    return nullptr;
  }
  return MakeSampler();
}

void Session::Loop(AnySampler& sampler) {
  const double phase = std::uniform_real_distribution<double>(
      0, 1)(*std::make_unique<std::minstd_rand>(
      static_cast<unsigned>(threads::MonotonicNs())));
  TickSchedule schedule(threads::MonotonicNs(),
                        sampler.TicksPerSecond(frequency_hz_), phase);
  int64_t deadline = schedule.Next(threads::MonotonicNs());
  while (!stopping_) {
    SleepUntil(sampler, deadline);
    std::lock_guard tick(tick_mutex_);
    RunTasks(sampler);
    const int64_t now = threads::MonotonicNs();
    const int ticks_per_second = sampler.TicksPerSecond(frequency_hz_);
    if (schedule.frequency_hz() != ticks_per_second) {
      schedule.SetFrequency(now, ticks_per_second);
      deadline = schedule.Next(now);
    }
    if (!sampler.WantsTick() && !IsDue(now, deadline)) continue;
    recording_->tallies().late_ns.add(std::max<int64_t>(now - deadline, 0));
    EmptyIfFull(sampler);
    sampler.Tick(now, WantsEveryone(now), WantsTargets());
    sampler_bytes_ = static_cast<int64_t>(
        sampler.memory_bytes() +
        (interrupter_ == nullptr ? 0 : interrupter_->touched_bytes()));
    TestClockOnce();
    FollowPrivileges(sampler, now);
    deadline = schedule.Next(threads::MonotonicNs());
  }
  std::lock_guard tick(tick_mutex_);
  sampler.CatchUp();
}

// Where ticks are seldom, they also come when somebody has asked for one.
int64_t Session::NextAskedNs() const {
  if (!options_.cpu_only) return INT64_MAX;
  const auto next = everyone_from_ns_.upper_bound(last_everyone_ns_);
  return next == everyone_from_ns_.end() ? INT64_MAX : *next;
}

bool Session::IsDue(int64_t now_ns, int64_t deadline_ns) {
  std::lock_guard lock(mutex_);
  return now_ns >= std::min(deadline_ns, NextAskedNs());
}

void Session::SleepUntil(const AnySampler& sampler, int64_t deadline_ns) {
  const uint32_t seen = wake_ups_.load(std::memory_order_acquire);
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || !posted_.empty() || sampler.WantsTick()) return;
    deadline_ns = std::min(deadline_ns, NextAskedNs());
  }
  const timespec until = ToTimespec(deadline_ns);
  // Absolute, on CLOCK_MONOTONIC. Returns early when woken.
  syscall(SYS_futex, &wake_ups_, FUTEX_WAIT_BITSET_PRIVATE, seen, &until,
          nullptr, FUTEX_BITSET_MATCH_ANY);
}

void Session::RunTasks(AnySampler& sampler) {
  std::vector<std::function<void(AnySampler&)>> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task(sampler);
}

bool Session::MayBeEmptied() const {
  return !options_.keep_everything &&
         recording_->table().Fullness() >= kFullEnough;
}

void Session::EmptyIfFull(AnySampler& sampler) {
  if (!MayBeEmptied()) return;
  std::lock_guard lock(mutex_);
  if (rates_.empty()) sampler.ClearTable();
}

// From here, since threads of ours share this one's descriptor table.
void Session::StartCompanion() {
  if (!options_.companion) return;
  const absl::Status started = own_threads_.Start(
      "wallprof-record", kPrivateStack, [this] { options_.companion(*this); });
  if (!started.ok()) {
    kernel_.Add({"recorder", std::string(started.message()), "not recorded"});
  }
}

void Session::TestClockOnce() {
  if (clock_tested_ || interrupter_ == nullptr ||
      kernel_.cpu_clock() != Kernel::CpuClock::kUntested ||
      recording_->last_tick_ns() - recording_->start_ns() < kClockTestAfterNs) {
    return;
  }
  clock_tested_ = true;
  const absl::Status started =
      own_threads_.Start("wallprof-check", kSamplerStack,
                         [this] { kernel_.TestCpuClock(own_threads_); });
  if (!started.ok()) {
    kernel_.Add({"cpu-clock", "not tested", "trusted between looks"});
  }
}

// What the program's main thread has given up the sampler gives up as well, and
// with it every thread that it starts from then on.
void Session::FollowPrivileges(AnySampler& sampler, int64_t now_ns) {
  if (now_ns - privileges_read_ns_ < kFollowPrivilegesNs) return;
  privileges_read_ns_ = now_ns;
  threads::ProcText text;
  if (!tasks_.Read(getpid(), "status", text)) return;
  const auto privileges = threads::ParsePrivileges(text.text());
  if (!privileges.has_value() || *privileges == privileges_) return;
  privileges_ = *privileges;
  if (!threads::LowerPrivileges(privileges_)) {
    kernel_.Add({"privileges", strerrorname_np(errno), "kept"});
  }
  // What fails here has failed above.
  const auto lower = [lowered = privileges_] {
    static_cast<void>(threads::LowerPrivileges(lowered));
  };
  own_threads_.OnEachIdle(lower);
  sampler.DoOnOthers(lower);
}

bool Session::WantsEveryone(int64_t now_ns) {
  std::lock_guard lock(mutex_);
  const bool wanted =
      !everyone_from_ns_.empty() && *everyone_from_ns_.begin() <= now_ns;
  if (wanted) last_everyone_ns_ = now_ns;
  return wanted;
}

bool Session::WantsTargets() {
  std::lock_guard lock(mutex_);
  return targets_wanted_ > 0;
}

}  // namespace wallprof::capture
