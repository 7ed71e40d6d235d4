#include "profiler/threads/wait_form.h"

#include <sys/syscall.h>

namespace wallprof::threads {

WaitForm WaitFormOf(int64_t number) {
  switch (number) {
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
      return WaitForm::kSleep;
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
      return WaitForm::kSignal;
    case SYS_wait4:
      return WaitForm::kChild;
    case SYS_waitid:
      return WaitForm::kChildById;
    case SYS_futex:
      return WaitForm::kFutex;
    case SYS_poll:
    case SYS_ppoll:
      return WaitForm::kPoll;
    case SYS_select:
    case SYS_pselect6:
      return WaitForm::kSelect;
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
      return WaitForm::kEpoll;
    case SYS_read:
    case SYS_write:
    case SYS_readv:
    case SYS_writev:
    case SYS_pread64:
    case SYS_pwrite64:
    case SYS_preadv:
    case SYS_pwritev:
    case SYS_preadv2:
    case SYS_pwritev2:
    case SYS_sendfile:
    case SYS_splice:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_accept:
    case SYS_accept4:
    case SYS_connect:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_sync_file_range:
    case SYS_flock:
    case SYS_fcntl:
    case SYS_ftruncate:
    case SYS_fallocate:
    case SYS_ioctl:
    case SYS_getdents64:
      return WaitForm::kDescriptor;
    default:
      return WaitForm::kUnknown;
  }
}

}  // namespace wallprof::threads
