#include "profiler/threads/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/threads/proc_file.h"

namespace wallprof::threads {
namespace {

// The kernel takes capabilities in two halves of 32.
using Halves = __user_cap_data_struct[_LINUX_CAPABILITY_U32S_3];

}  // namespace

std::optional<Privileges> ParsePrivileges(std::string_view status) {
  const auto permitted = ParseStatusLine(status, "CapPrm", 16);
  const auto no_new_privs = ParseStatusLine(status, "NoNewPrivs", 10);
  if (!permitted.has_value() || !no_new_privs.has_value()) return std::nullopt;
  return Privileges{*permitted, *no_new_privs != 0};
}

bool LowerPrivileges(const Privileges& limit) {
  if (limit.no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return false;
  }
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  Halves halves;
  if (syscall(SYS_capget, &header, halves) != 0) return false;
  bool more = false;
  for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    const auto kept = static_cast<uint32_t>(limit.permitted >> (32 * i));
    more |= (halves[i].permitted & ~kept) != 0;
    halves[i].permitted &= kept;
    halves[i].effective &= kept;
    halves[i].inheritable &= kept;
  }
  return !more || syscall(SYS_capset, &header, halves) == 0;
}

}  // namespace wallprof::threads
