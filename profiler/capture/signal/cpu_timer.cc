#include "profiler/capture/signal/cpu_timer.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace wallprof::capture {
namespace {

// See threads/cpu_clock.h; repeated because this folder includes no other.
clockid_t CpuClockOf(pid_t tid) {
  return static_cast<clockid_t>((~static_cast<unsigned>(tid) << 3) | 6);
}

}  // namespace

int CpuTimer::Create(pid_t tid, int signal, void* value) {
  Delete();
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = signal;
  event.sigev_value.sival_ptr = value;
  event._sigev_un._tid = tid;
  int id = -1;
  if (syscall(SYS_timer_create, CpuClockOf(tid), &event, &id) != 0) {
    return errno;
  }
  id_ = id;
  return 0;
}

int CpuTimer::Set(long nanoseconds) {
  itimerspec when = {};
  when.it_value.tv_nsec = nanoseconds;
  return syscall(SYS_timer_settime, id_, 0, &when, nullptr) == 0 ? 0 : errno;
}

int CpuTimer::Arm() { return Set(1); }

void CpuTimer::Disarm() {
  if (exists()) Set(0);
}

void CpuTimer::Delete() {
  if (exists()) syscall(SYS_timer_delete, id_);
  id_ = -1;
}

int SignalThread(pid_t tid, int signal, void* value) {
  siginfo_t info = {};
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = value;
  return syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, signal, &info) == 0
             ? 0
             : errno;
}

}  // namespace wallprof::capture
