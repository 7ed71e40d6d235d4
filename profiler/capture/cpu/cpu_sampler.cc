#include "profiler/capture/cpu/cpu_sampler.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "profiler/threads/cpu_clock.h"
#include "profiler/threads/proc_file.h"
#include "profiler/unwind/libunwind.h"

namespace wallprof::capture {
namespace {

using stacks::PseudoFrame;
using stacks::ThreadState;

// So that what is left when a process is killed is not older than a second.
constexpr int kTicksPerSecond = 1;

// Where nobody tells that it fills, each buffer is read this often in the time
// in which it can be filled: the sampler may come late by two thirds of it.
constexpr size_t kReadsPerFilling = 3;

// The process's clock adds up those of all its threads: takes 0.3 ms for
// 10 000. As often when nobody measures.
constexpr int64_t kWholeEveryNs = 1'000'000'000;

ThreadState StateOf(char letter) {
  switch (letter) {
    case 'R':
      return ThreadState::kRunning;
    case 'D':
      return ThreadState::kDisk;
    default:
      return ThreadState::kBlocked;
  }
}

}  // namespace

CpuSampler::CpuSampler(std::unique_ptr<PerfEvents> events,
                       stacks::Recording& recording, OwnThreads& own_threads,
                       threads::TaskDirectory& tasks, Kernel& kernel,
                       unwind::LoaderWatch loader, std::function<void()> wake)
    : events_(std::move(events)),
      recording_(recording),
      own_threads_(own_threads),
      tasks_(tasks),
      unwinder_(memory_, recording),
      modules_(loader),
      accountant_(recording),
      base_cpu_ns_(ProgramCpuNs()),
      watch_(own_threads, events_->ring_events(),
             [this, wake = std::move(wake)] {
               filled_ = true;
               wake();
             }) {
  unwind::LibUnwind::UseFromSampler();
  if (!events_->sees_kernel()) {
    kernel.Add({"perf-kernel", "EACCES", "[not sampled]"});
  }
  modules_.Reload(
      [this](const std::string& maps) { unwinder_.SetModules(maps); });
}

CpuSampler::~CpuSampler() { unwind::LibUnwind::ForgetSampler(); }

int CpuSampler::TicksPerSecond(int frequency_hz) const {
  if (watch_.works()) return kTicksPerSecond;
  const size_t samples = std::max<size_t>(events_->samples_per_ring(), 1);
  const size_t wanted = static_cast<size_t>(frequency_hz) * kReadsPerFilling;
  return static_cast<int>((wanted + samples - 1) / samples);
}

// The program's, not ours.
int64_t CpuSampler::ProgramCpuNs() const {
  return threads::NowNs(CLOCK_PROCESS_CPUTIME_ID) - own_threads_.CpuTimeNs();
}

void CpuSampler::Tick(int64_t now_ns, bool everyone, bool) {
  filled_ = false;
  recording_.BeginTick();
  modules_.Update(
      [this](const std::string& maps) { unwinder_.SetModules(maps); });
  const bool whole = everyone || now_ns - whole_ns_ >= kWholeEveryNs;
  // The clock before the samples: what is used in between has not been sampled
  // when it is read, and may have when they are.
  const int64_t used_ns = whole ? ProgramCpuNs() - base_cpu_ns_ : 0;
  const std::vector<threads::Tid> gone =
      whole ? OursThatAreGone() : std::vector<threads::Tid>();
  ReadRings();
  ForgetEnded();
  own_threads_.Forget(gone);
  if (whole) {
    whole_ns_ = now_ns;
    AccountRest(used_ns);
    // Ours and the directory itself are counted too.
    recording_.tallies().threads.set(
        std::max(tasks_.CountHint() - own_threads_.count(), 0));
  }
  recording_.tallies().sampler_cpu_ns.set(own_threads_.CpuTimeNs());
  recording_.EndTick(now_ns, whole);
}

void CpuSampler::CatchUp() { Tick(threads::MonotonicNs(), true, false); }

void CpuSampler::ReadRings() {
  ++readings_;
  for (PerfRing& ring : events_->rings()) {
    ring.Read([this](const PerfRecord& record) { Take(record); });
  }
}

void CpuSampler::Take(const PerfRecord& record) {
  if (const auto sample = ParsePerfSample(record)) return TakeSample(*sample);
  if (const auto lost = ParsePerfLost(record)) {
    recording_.tallies().lost_dropped.add(*lost);
  } else if (const auto name = ParsePerfName(record)) {
    SetName(ThreadOf(name->tid), std::string(name->name));
  } else if (const auto fork = ParsePerfFork(record)) {
    TakeFork(*fork);
  } else if (const auto exit = ParsePerfExit(record)) {
    ended_.push_back(*exit);
  }
}

void CpuSampler::SetName(Thread& thread, std::string name) {
  thread.name = std::move(name);
  if (thread.record != kNoRecord) {
    recording_.thread(thread.record).SetName(thread.name);
  }
}

// The thread has its parent's name until it gets one of its own, which another
// CPU's buffer may have told already: in this reading, or in the one before if
// it was in between that both were written. That may also have had a sample of
// a thread that had ended by then, so that there was no name to be had. An
// older thread of that number is another, whose end was not told.
void CpuSampler::TakeFork(const PerfFork& fork) {
  if (fork.pid != getpid()) return;  // a child's, which is not measured
  std::string name = ThreadOf(fork.parent).name;
  Thread child{name, readings_};
  const auto [found, is_new] = threads_.try_emplace(fork.tid, child);
  Thread& thread = found->second;
  if (is_new) return;
  if (thread.reading + 1 < readings_) {
    thread = std::move(child);
  } else if (thread.name.empty()) {
    SetName(thread, std::move(name));
  }
}

// What another CPU's buffer has of it is read by then.
void CpuSampler::ForgetEnded() {
  for (const threads::Tid tid : ended_) threads_.erase(tid);
  ended_.clear();
}

// What was sampled of them is in the buffers by then. Their numbers are the
// program's threads' from now on.
std::vector<threads::Tid> CpuSampler::OursThatAreGone() const {
  std::vector<threads::Tid> gone = own_threads_.AllEnded();
  gone.erase(std::remove_if(gone.begin(), gone.end(),
                            [this](threads::Tid tid) {
                              threads::ProcText text;
                              return tasks_.Read(tid, "stat", text) ||
                                     (errno != ENOENT && errno != ESRCH);
                            }),
             gone.end());
  return gone;
}

CpuSampler::Thread& CpuSampler::ThreadOf(threads::Tid tid) {
  const auto [found, is_new] = threads_.try_emplace(tid);
  Thread& thread = found->second;
  if (!is_new) return thread;
  thread.reading = readings_;
  threads::ProcText text;
  if (tasks_.Read(tid, "stat", text)) {
    if (const auto stat = threads::ParseTaskStat(text.text())) {
      thread.name = stat->name;
    }
  }
  return thread;
}

// False also while it may be one of ours that is being started; of those, and
// of what was sampled of others meanwhile, the time is in [not sampled].
bool CpuSampler::IsPrograms(threads::Tid tid, Thread& thread) {
  if (thread.whose == Thread::kUnknown) {
    if (own_threads_.Contains(tid)) {
      thread.whose = Thread::kOwn;
    } else if (!own_threads_.MayContain(tid)) {
      thread.whose = Thread::kProgram;
    }
  }
  return thread.whose == Thread::kProgram;
}

// What the walk found; and where the thread was in the kernel, that on top: the
// time is not that of the instruction after the call.
stacks::StackId CpuSampler::StackOf(const PerfSample& sample) {
  unwind::StackCopy copy;
  copy.registers = sample.registers;
  copy.segments[0] = {sample.registers.Get(unwind::kRsp), sample.stack.data(),
                      sample.stack.size()};
  copy.segment_count = 1;
  unwinder_.Unwind(copy, walk_);
  recording_.tallies().walks.add(1);
  if (unwinder_.met_unknown_code()) modules_.MetUnknownCode();
  if (!walk_.complete) recording_.tallies().lost_truncated.add(1);
  if (!sample.in_kernel) return recording_.table().Intern(walk_.stack());
  std::array<stacks::Frame, unwind::Walk::kMaxFrames + 2> frames;
  frames[0] = stacks::Frame::Pseudo(PseudoFrame::kKernel);
  std::copy(walk_.stack().begin(), walk_.stack().end(), frames.begin() + 1);
  return recording_.table().Intern({frames.data(), walk_.depth + 1});
}

void CpuSampler::TakeSample(const PerfSample& sample) {
  Thread& thread = ThreadOf(sample.tid);
  if (!IsPrograms(sample.tid, thread)) return;
  if (thread.record == kNoRecord) {
    thread.record = recording_.AddThread(sample.tid, thread.name);
  }
  const stacks::SampleKey key{StackOf(sample), thread.record};
  recording_.table().Add(accountant_.EntryOf(key),
                         {1, events_->period_ns(), 0});
  ++samples_;
  sampled_cpu_ns_ += events_->period_ns();
}

// What the process used and no sample stands for: short threads, samples that
// were dropped, time in the kernel where that is not sampled. Of each thread
// and CPU up to a period is on its way to a sample, so this is never taken
// back.
void CpuSampler::AccountRest(int64_t used_ns) {
  const int64_t more = used_ns - sampled_cpu_ns_ - without_samples_ns_;
  // Together, so that there is a rate in them.
  recording_.tallies().program_cpu_ns.set(used_ns);
  recording_.tallies().samples.set(samples_);
  if (more <= 0) return;
  accountant_.AddNotSampled(more);
  without_samples_ns_ += more;
}

std::vector<ThreadView> CpuSampler::Views() {
  std::vector<threads::Tid> listed;
  tasks_.List(listed);
  std::vector<ThreadView> views;
  for (const threads::Tid tid : listed) {
    threads::ProcText text;
    if (own_threads_.Contains(tid) || !tasks_.Read(tid, "stat", text)) continue;
    const auto stat = threads::ParseTaskStat(text.text());
    if (!stat.has_value()) continue;
    ThreadView view;
    view.tid = tid;
    view.name = stat->name;
    view.state = StateOf(stat->state);
    view.cpu_ns = std::max<int64_t>(threads::CpuTimeOf(tid), 0);
    views.push_back(std::move(view));
  }
  return views;
}

void CpuSampler::ClearTable() {
  recording_.Clear();
  accountant_.Prepare();
  for (auto& [tid, thread] : threads_) thread.record = kNoRecord;
}

size_t CpuSampler::memory_bytes() const {
  return events_->bytes() + threads_.size() * sizeof(*threads_.begin());
}

}  // namespace wallprof::capture
