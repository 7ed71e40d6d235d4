// What a thread may do beyond its user's rights: capabilities and no_new_privs
// are a thread's own, and what one thread gives up the others keep.
#ifndef WALLPROF_PROFILER_THREADS_PRIVILEGES_H_
#define WALLPROF_PROFILER_THREADS_PRIVILEGES_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace wallprof::threads {

struct Privileges {
  uint64_t permitted = 0;  // bit n for capability n; the others are within it
  bool no_new_privs = false;

  friend bool operator==(const Privileges&, const Privileges&) = default;
};

// The CapPrm and NoNewPrivs lines of /proc/PID/task/TID/status.
std::optional<Privileges> ParsePrivileges(std::string_view status);

// The calling thread gives up what `limit` does not have. For good: nothing
// that is lost in this way can be had again, which is why only the permitted
// set is looked at. A thread that has lowered its effective set may raise it
// and then change its user, which libc makes all threads do.
// False, with errno set, where the kernel refuses.
bool LowerPrivileges(const Privileges& limit);

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_PRIVILEGES_H_
