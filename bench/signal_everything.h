// The usual way to sample wall-clock time, to compare with.
#ifndef WALLPROF_BENCH_SIGNAL_EVERYTHING_H_
#define WALLPROF_BENCH_SIGNAL_EVERYTHING_H_

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "profiler/threads/task_directory.h"

namespace wallprof {

// Signals every thread at every tick, as wall-clock profilers do elsewhere;
// the handler does nothing, so this is the least that way can cost.
class SignalEverything {
 public:
  explicit SignalEverything(int hz) : hz_(hz) {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR2, &action, nullptr);
    thread_ = std::thread([this] { Run(); });
  }
  ~SignalEverything() {
    stop_ = true;
    thread_.join();
  }

 private:
  void Run() {
    const auto self = static_cast<pid_t>(syscall(SYS_gettid));
    const threads::TaskDirectory tasks;
    std::vector<threads::Tid> tids;
    while (!stop_) {
      usleep(static_cast<useconds_t>(1'000'000 / hz_));
      tasks.List(tids);
      for (const threads::Tid tid : tids) {
        if (tid != self) syscall(SYS_tgkill, getpid(), tid, SIGUSR2);
      }
    }
  }

  const int hz_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace wallprof

#endif  // WALLPROF_BENCH_SIGNAL_EVERYTHING_H_
