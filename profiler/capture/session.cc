#include "profiler/capture/session.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "profiler/capture/scoped_reader.h"
#include "profiler/capture/signal/handler.h"
#include "profiler/threads/clock.h"
#include "profiler/threads/proc_file.h"

namespace wallprof::capture {
namespace {

// How often one that waits for a tick asks whether it is still wanted.
constexpr absl::Duration kCancelPoll = absl::Milliseconds(50);

// Anonymous memory that does not depend on the program: page cache, unwind
// rows, CFI cache.
constexpr int64_t kFixedBytes = 7 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<Session>> Session::Start(
    const SessionOptions& options, unwind::LoaderWatch loader) {
  std::unique_ptr<Session> session(new Session(options, loader));
  auto recording = options.recording_fd < 0
                       ? stacks::Recording::Allocate(options.recording_bytes)
                       : stacks::Recording::Create(options.recording_fd,
                                                   options.recording_bytes);
  if (!recording.ok()) return recording.status();
  session->recording_ = *std::move(recording);
  session->recording_->set_cpu_only(options.cpu_only);
  // Where only CPU time is measured it may do without.
  if (!options.cpu_only) {
    const absl::Status made = session->MakeInterrupter();
    if (!made.ok()) return made;
  }
  const absl::Status started = session->own_threads_.Start(
      "wallprof", kSamplerStack, [self = session.get()] { self->Main(); });
  if (!started.ok()) {
    session->sampler_ended_ = true;
    return started;
  }
  if (options.cpu_only) session->AwaitSampler();
  return session;
}

Session::Session(const SessionOptions& options, unwind::LoaderWatch loader)
    : options_(options),
      loader_(loader),
      frequency_hz_(options.frequency_hz),
      own_threads_(options.keep_threads) {}

// A thread that the caller starts before its own events are there would not
// inherit them.
void Session::AwaitSampler() {
  // It takes one; if something is in its way, the program is not held up.
  constexpr std::chrono::milliseconds kAtMost(100);
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, kAtMost,
                    [this] { return sampler_made_ || sampler_ended_; });
}

absl::Status Session::MakeInterrupter() {
  auto interrupter = Interrupter::Make(options_.signal, options_.request_bytes,
                                       *recording_, tasks_);
  if (!interrupter.ok()) return interrupter.status();
  interrupter_ = *std::move(interrupter);
  PublishModulesAdded(loader_.count());
  return absl::OkStatus();
}

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

// --- other threads -----------------------------------------------------------

absl::Status Session::RunOnSampler(std::function<void(AnySampler&)> task) {
  bool done = false;
  std::unique_lock lock(mutex_);
  if (stopping_ || sampler_ended_) {
    return absl::CancelledError("the profiler has stopped");
  }
  posted_.push_back([&](AnySampler& sampler) {
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
    if (stopping_ || sampler_ended_) {
      return absl::CancelledError("the profiler has stopped");
    }
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
  for (;;) {
    const ScopedEveryone everyone(*this, time_ns);
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
  // what those wait for that wait already. Where only CPU time is measured, the
  // last tick may have been long ago, and the next is at once.
  const bool from_now = options.targets || options_.cpu_only;
  const auto start =
      SnapshotFrom(from_now ? threads::MonotonicNs() : 1, options.cancelled);
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
      RunOnSampler([](AnySampler& sampler) { sampler.CatchUp(); });
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
  return RunOnSampler([&](AnySampler& sampler) { use(sampler.Views()); });
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
  const absl::Status ran = RunOnSampler([&](AnySampler&) {
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
         sampler_bytes_;
}

}  // namespace wallprof::capture
