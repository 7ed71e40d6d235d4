#include "profiler/capture/disk_wait.h"

#include <sys/syscall.h>

namespace wallprof::capture {

bool WaitsForDisk(const threads::TaskDirectory& tasks, threads::Tid tid,
                  const threads::SyscallState& state) {
  switch (state.number) {
    case -1:
    case SYS_read:
    case SYS_pread64:
    case SYS_readv:
    case SYS_preadv:
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev:
    case SYS_pwritev:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_sync:
    case SYS_syncfs:
    case SYS_open:
    case SYS_openat:
    case SYS_getdents64:
    case SYS_newfstatat:
    case SYS_sendfile:
    case SYS_unlink:
    case SYS_rename:
      break;
    default:
      return false;
  }
  threads::ProcText text;
  if (!tasks.Read(tid, "stat", text)) return false;
  const auto stat = threads::ParseTaskStat(text.text());
  return stat.has_value() && stat->state == 'D';
}

}  // namespace wallprof::capture
