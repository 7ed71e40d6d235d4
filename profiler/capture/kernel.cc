#include "profiler/capture/kernel.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "profiler/capture/signal/cpu_timer.h"
#include "profiler/threads/cpu_clock.h"
#include "profiler/threads/proc_file.h"

namespace wallprof::capture {
namespace {

// The first release in which x86 kernels run CPU timers as task work.
constexpr int kTaskWorkMajor = 5, kTaskWorkMinor = 11;

// Wake-ups that the clock is tested on. On a kernel where it fails, it failed
// in about one of ten.
constexpr int kTestWakeUps = 200;
constexpr timespec kTestNap = {0, 500'000};

bool KernelIsAtLeast(int major, int minor) {
  utsname names;
  int have_major = 0, have_minor = 0;
  if (uname(&names) != 0 ||
      sscanf(names.release, "%d.%d", &have_major, &have_minor) != 2) {
    return false;
  }
  return have_major != major ? have_major > major : have_minor >= minor;
}

}  // namespace

void Kernel::Add(Shortfall shortfall) {
  std::lock_guard lock(mutex_);
  shortfalls_.push_back(std::move(shortfall));
}

std::vector<Shortfall> Kernel::shortfalls() const {
  std::lock_guard lock(mutex_);
  return shortfalls_;
}

void Kernel::LoseSyscallFile(int error) {
  if (!has_syscall_file_) return;
  has_syscall_file_ = false;
  Add({"procfs-syscall", strerrorname_np(error), "interrupt"});
}

void Kernel::Examine(threads::TaskDirectory& tasks) {
  const auto self = threads::OwnTid();
  threads::ProcText text;
  if (!tasks.Read(self, "syscall", text)) {
    LoseSyscallFile(errno);
  }
  if (!tasks.Read(self, "schedstat", text) ||
      !threads::ParseSchedStat(text.text()).has_value() ||
      threads::ParseSchedStat(text.text())->run_count == 0) {
    has_run_count_ = false;
    cpu_clock_ = CpuClock::kTrusted;  // there is nothing better
    Add({"schedstat", "no run count", "cpu-clock"});
  }
  if (!KernelIsAtLeast(kTaskWorkMajor, kTaskWorkMinor)) {
    has_cpu_timers_ = false;
    Add({"cpu-timer", "kernel before 5.11", "signal-if-on-cpu"});
  } else if (CpuTimer probe;
             const int error = probe.Create(self, SIGURG, nullptr)) {
    has_cpu_timers_ = false;
    Add({"cpu-timer", strerrorname_np(error), "signal-if-on-cpu"});
  }
}

void Kernel::TestCpuClock(OwnThreads& threads) {
  if (!has_run_count_) return;
  std::atomic<threads::Tid> napper{0};
  std::atomic<int> wake_ups{0};
  std::atomic<bool> ended{false};
  const absl::Status started = threads.Start("wallprof-nap", 64 << 10, [&] {
    napper = threads::OwnTid();
    for (int i = 0; i < kTestWakeUps; ++i) {
      nanosleep(&kTestNap, nullptr);
      wake_ups.fetch_add(1);
    }
    ended = true;
  });
  if (!started.ok()) return;
  int stood_still = 0, seen = 0;
  int64_t last_cpu = -1;
  int last_wake_ups = -1;
  while (!ended) {
    const int before = wake_ups.load();
    const int64_t cpu = napper == 0 ? -1 : threads::CpuTimeOf(napper);
    // Only readings that no wake-up falls into say anything.
    if (cpu >= 0 && wake_ups.load() == before) {
      if (last_wake_ups >= 0 && before != last_wake_ups) {
        ++seen;
        stood_still += cpu == last_cpu ? 1 : 0;
      }
      last_cpu = cpu;
      last_wake_ups = before;
    }
    const timespec pause = {0, 200'000};
    nanosleep(&pause, nullptr);
  }
  if (stood_still == 0 && seen >= kTestWakeUps / 4) {
    cpu_clock_ = CpuClock::kTrusted;
  } else {
    cpu_clock_ = CpuClock::kFails;
    Add({"cpu-clock",
         std::to_string(stood_still) + " of " + std::to_string(seen) +
             " wake-ups did not move it",
         "run-count"});
  }
}

}  // namespace wallprof::capture
