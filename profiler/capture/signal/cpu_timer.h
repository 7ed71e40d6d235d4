// A timer on another thread's CPU clock that signals that thread.
//
// Since Linux 5.11 (x86, CONFIG_POSIX_CPU_TIMERS_TASK_WORK) such a timer
// expires on the thread's own way back to user mode: its signal cannot wake a
// sleeping system call, make one return EINTR, or restart a fork, and exec
// drops timer and signal together. It comes at the thread's next scheduler
// tick on a CPU, so at most CONFIG_HZ times a second and CPU.
#ifndef WALLPROF_PROFILER_CAPTURE_SIGNAL_CPU_TIMER_H_
#define WALLPROF_PROFILER_CAPTURE_SIGNAL_CPU_TIMER_H_

#include <sys/types.h>

namespace wallprof::capture {

// Owns a kernel timer. For the sampler's thread; by bare system calls, since
// libc's wrappers know no way to name a thread by its id.
class CpuTimer {
 public:
  CpuTimer() = default;
  CpuTimer(const CpuTimer&) = delete;
  CpuTimer& operator=(const CpuTimer&) = delete;
  ~CpuTimer() { Delete(); }

  // Makes a timer for thread `tid` that sends `signal` with `value`. 0, or an
  // errno: EAGAIN when RLIMIT_SIGPENDING is used up (a timer takes one unit),
  // EINVAL when the thread is gone.
  int Create(pid_t tid, int signal, void* value);

  // Lets it expire as soon as the thread has used CPU time. 0 or an errno.
  int Arm();

  // Takes the request back. A signal that was already sent may still come.
  void Disarm();

  void Delete();
  bool exists() const { return id_ >= 0; }

 private:
  int Set(long nanoseconds);

  int id_ = -1;
};

// Sends `signal` with `value` to a thread of this process at once, whatever
// it does: the way where CPU timers are not to be had. 0 or an errno.
int SignalThread(pid_t tid, int signal, void* value);

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_SIGNAL_CPU_TIMER_H_
