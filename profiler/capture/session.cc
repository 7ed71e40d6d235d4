#include "profiler/capture/session.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <random>

#include "profiler/capture/scoped_reader.h"
#include "profiler/capture/signal/handler.h"
#include "profiler/capture/tick_schedule.h"
#include "profiler/threads/clock.h"
#include "profiler/threads/proc_file.h"

namespace wallprof::capture {
namespace {

// The sampler's deepest moment is reading the headers of a new module.
constexpr size_t kSamplerStack = 256 << 10;

// Symbols are resolved and profiles encoded on these.
constexpr size_t kPrivateStack = size_t{1} << 20;

// How often one that waits for a tick asks whether it is still wanted.
constexpr absl::Duration kCancelPoll = absl::Milliseconds(50);

// At this fullness the table is emptied, as soon as nobody measures.
constexpr double kFullEnough = 0.7;

// The clock is tested only in programs that live longer than this.
constexpr int64_t kClockTestAfterNs = 200'000'000;

// How often it is asked what the program has given up: takes 3 us.
constexpr int64_t kFollowPrivilegesNs = 100'000'000;

// Anonymous memory that does not depend on the program: page cache, unwind
// rows, CFI cache.
constexpr int64_t kFixedBytes = 7 << 20;

timespec ToTimespec(int64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000),
          static_cast<long>(ns % 1'000'000'000)};
}

}  // namespace

bool Session::WantsEveryone(int64_t now_ns) {
  std::lock_guard lock(mutex_);
  return !everyone_from_ns_.empty() && *everyone_from_ns_.begin() <= now_ns;
}

bool Session::WantsTargets() {
  std::lock_guard lock(mutex_);
  return targets_wanted_ > 0;
}

absl::StatusOr<std::unique_ptr<Session>> Session::Start(
    const SessionOptions& options, unwind::LoaderWatch loader) {
  std::unique_ptr<Session> session(new Session(options, loader));
  auto recording = options.recording_fd < 0
                       ? stacks::Recording::Allocate(options.recording_bytes)
                       : stacks::Recording::Create(options.recording_fd,
                                                   options.recording_bytes);
  if (!recording.ok()) return recording.status();
  session->recording_ = *std::move(recording);
  auto interrupter = Interrupter::Make(options.signal, options.request_bytes,
                                       *session->recording_, session->tasks_);
  if (!interrupter.ok()) return interrupter.status();
  session->interrupter_ = *std::move(interrupter);
  PublishModulesAdded(loader.count());
  const absl::Status started = session->own_threads_.Start(
      "wallprof", kSamplerStack, [self = session.get()] { self->Main(); });
  if (!started.ok()) {
    session->sampler_ended_ = true;
    return started;
  }
  return session;
}

Session::Session(const SessionOptions& options, unwind::LoaderWatch loader)
    : options_(options),
      loader_(loader),
      frequency_hz_(options.frequency_hz),
      own_threads_(options.keep_threads) {}

// Whoever still measures or waits for the sampler is told to end, and waited
// for. The sampler ends within a tick; ~OwnThreads waits for it.
Session::~Session() {
  Stop();
  std::unique_lock lock(mutex_);
  stopped_.wait(lock, [this] { return rates_.empty() && waiting_ == 0; });
}

void Session::Stop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  stopped_.notify_all();
  Wake();
}

void Session::Wake() {
  wake_ups_.fetch_add(1, std::memory_order_release);
  syscall(SYS_futex, &wake_ups_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// --- the sampler's thread ----------------------------------------------------

void Session::Main() {
  {
    // A fork waits until all this stands.
    std::lock_guard tick(tick_mutex_);
    if (!EnterPrivateDescriptorTable()) {
      kernel_.Add({"private-descriptors", "unshare failed", "shared"});
    }
    kernel_.Examine(tasks_);
  }
  interrupter_->set_delivery(kernel_.has_cpu_timers()
                                 ? Interrupter::Delivery::kCpuTimer
                                 : Interrupter::Delivery::kSignal);
  tick_mutex_.lock();
  auto sampler = std::make_unique<Sampler>(*recording_, own_threads_, tasks_,
                                           *interrupter_, kernel_, loader_,
                                           lock_functions_);
  tick_mutex_.unlock();
  StartCompanion();
  Loop(*sampler);
  // What is open is so in this thread's table.
  sampler.reset();
  tasks_.Close();
  std::lock_guard lock(mutex_);
  sampler_ended_ = true;
  // Whoever waits for a task's end sees that it will not run.
  posted_.clear();
  stopped_.notify_all();
}

void Session::Loop(Sampler& sampler) {
  const double phase = std::uniform_real_distribution<double>(
      0, 1)(*std::make_unique<std::minstd_rand>(
      static_cast<unsigned>(threads::MonotonicNs())));
  TickSchedule schedule(threads::MonotonicNs(), frequency_hz_, phase);
  int64_t deadline = schedule.Next(threads::MonotonicNs());
  while (!stopping_) {
    SleepUntil(deadline);
    std::lock_guard tick(tick_mutex_);
    RunTasks(sampler);
    const int64_t now = threads::MonotonicNs();
    if (schedule.frequency_hz() != frequency_hz_) {
      schedule.SetFrequency(now, frequency_hz_);
      deadline = schedule.Next(now);
    }
    if (now < deadline) continue;
    recording_->tallies().late_ns.add(now - deadline);
    EmptyIfFull(sampler);
    sampler.Tick(now, WantsEveryone(now), WantsTargets());
    sampler_bytes_ = static_cast<int64_t>(sampler.thread_bytes());
    TestClockOnce();
    FollowPrivileges(now);
    deadline = schedule.Next(threads::MonotonicNs());
  }
  std::lock_guard tick(tick_mutex_);
  sampler.CatchUp();
}

void Session::SleepUntil(int64_t deadline_ns) {
  const uint32_t seen = wake_ups_.load(std::memory_order_acquire);
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || !posted_.empty()) return;
  }
  const timespec until = ToTimespec(deadline_ns);
  // Absolute, on CLOCK_MONOTONIC. Returns early when woken.
  syscall(SYS_futex, &wake_ups_, FUTEX_WAIT_BITSET_PRIVATE, seen, &until,
          nullptr, FUTEX_BITSET_MATCH_ANY);
}

void Session::RunTasks(Sampler& sampler) {
  std::vector<std::function<void(Sampler&)>> tasks;
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

void Session::EmptyIfFull(Sampler& sampler) {
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
  if (clock_tested_ || kernel_.cpu_clock() != Kernel::CpuClock::kUntested ||
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
void Session::FollowPrivileges(int64_t now_ns) {
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
  own_threads_.OnEachIdle([lowered = privileges_] {
    static_cast<void>(threads::LowerPrivileges(lowered));
  });
}

// --- other threads -----------------------------------------------------------

absl::Status Session::RunOnSampler(std::function<void(Sampler&)> task) {
  bool done = false;
  std::unique_lock lock(mutex_);
  if (stopping_ || sampler_ended_) {
    return absl::CancelledError("the profiler has stopped");
  }
  posted_.push_back([&](Sampler& sampler) {
    task(sampler);
    std::lock_guard done_lock(mutex_);
    done = true;
    stopped_.notify_all();
  });
  Wake();
  ++waiting_;
  stopped_.wait(lock, [&] { return done || sampler_ended_; });
  --waiting_;
  stopped_.notify_all();
  return done ? absl::OkStatus()
              : absl::CancelledError("the profiler has stopped");
}

absl::Status Session::WaitForTick(int64_t time_ns,
                                  const std::function<bool()>& cancelled) {
  std::unique_lock lock(mutex_);
  while (recording_->last_tick_ns() < time_ns) {
    if (stopping_) return absl::CancelledError("the profiler has stopped");
    // Until a little after the time, then in steps of a tick.
    const absl::Duration left =
        absl::Nanoseconds(time_ns - threads::MonotonicNs());
    const absl::Duration wait =
        std::clamp(left, absl::Milliseconds(1), kCancelPoll);
    stopped_.wait_for(lock, absl::ToChronoMilliseconds(wait));
    if (!cancelled) continue;
    lock.unlock();
    const bool unwanted = cancelled();
    lock.lock();
    if (unwanted) return absl::CancelledError("nobody waits for it any more");
  }
  return absl::OkStatus();
}

// The first snapshot at `time_ns` or later in which all threads' time is known.
absl::StatusOr<stacks::Snapshot> Session::SnapshotFrom(
    int64_t time_ns, const std::function<bool()>& cancelled) {
  const ScopedEveryone everyone(*this, time_ns);
  for (;;) {
    if (absl::Status status = WaitForTick(time_ns, cancelled); !status.ok()) {
      return status;
    }
    stacks::Snapshot snapshot = stacks::TakeSnapshot(*recording_);
    if (snapshot.whole) return snapshot;
    time_ns = snapshot.time_ns + 1;
  }
}

stacks::StackId Session::NotSampled() {
  const stacks::Frame frame =
      stacks::Frame::Pseudo(stacks::PseudoFrame::kNotSampled);
  return recording_->table().Intern({&frame, 1});
}

absl::Status Session::Measure(
    absl::Duration duration, const MeasureOptions& options,
    const std::function<void(const stacks::Measurement&)>& use) {
  const ScopedReader reader(*this, options.frequency_hz);
  std::optional<ScopedTargets> targets;
  if (options.targets) targets.emplace(*this);
  // The first tick shows which threads there are, and the first that begins now
  // what those wait for that wait already.
  const auto start = SnapshotFrom(options.targets ? threads::MonotonicNs() : 1,
                                  options.cancelled);
  if (!start.ok()) return start.status();
  bool is_enough = false;
  auto end =
      SnapshotFrom(start->time_ns + absl::ToInt64Nanoseconds(duration), [&] {
        if (options.cancelled && options.cancelled()) return true;
        is_enough = options.enough && options.enough();
        return is_enough;
      });
  if (is_enough) end = SnapshotFrom(start->time_ns + 1, options.cancelled);
  if (!end.ok()) return end.status();
  stacks::Measurement measured =
      stacks::Difference(*recording_, *start, *end, NotSampled());
  if (!options.targets) stacks::ForgetTargets(measured);
  use(measured);
  return absl::OkStatus();
}

absl::Status Session::MeasureAll(
    const std::function<void(const stacks::Measurement&)>& use) {
  const ScopedReader reader(*this, 0);
  const absl::Status caught_up =
      RunOnSampler([](Sampler& sampler) { sampler.CatchUp(); });
  if (!caught_up.ok()) return caught_up;
  stacks::Measurement measured =
      stacks::Difference(*recording_, stacks::EmptySnapshot(*recording_),
                         stacks::TakeSnapshot(*recording_), NotSampled());
  stacks::ForgetTargets(measured);
  use(measured);
  return absl::OkStatus();
}

absl::Status Session::VisitThreads(
    const std::function<void(const std::vector<ThreadView>&)>& use) {
  if (const auto now = SnapshotFrom(1, nullptr); !now.ok()) return now.status();
  return RunOnSampler([&](Sampler& sampler) { use(sampler.Views()); });
}

void Session::EndSlice() {
  std::lock_guard lock(mutex_);
  slice_end_wanted_ = true;
  stopped_.notify_all();
}

absl::Status Session::RunPrivately(const std::string& name,
                                   std::function<void()> body) {
  // One of ours has the descriptor table already.
  if (own_threads_.Contains(threads::OwnTid())) {
    return own_threads_.Start(name, kPrivateStack, std::move(body));
  }
  absl::Status started;
  const absl::Status ran = RunOnSampler([&](Sampler&) {
    started = own_threads_.Start(name, kPrivateStack, std::move(body));
  });
  return ran.ok() ? started : ran;
}

absl::Status Session::RunUnsampled(const std::string& name,
                                   std::function<void()> body) {
  if (options_.keep_threads) {
    return absl::FailedPreconditionError("threads are of one table here");
  }
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return absl::CancelledError("the profiler has stopped");
  }
  return own_threads_.Start(name, kPrivateStack, std::move(body));
}

int64_t Session::memory_bytes() const {
  return kFixedBytes + static_cast<int64_t>(recording_->used_bytes()) +
         static_cast<int64_t>(interrupter_->touched_bytes()) + sampler_bytes_;
}

}  // namespace wallprof::capture
