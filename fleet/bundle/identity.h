// What tells one process from all others.
#ifndef WALLPROF_FLEET_BUNDLE_IDENTITY_H_
#define WALLPROF_FLEET_BUNDLE_IDENTITY_H_

#include <sys/types.h>

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace wallprof::bundle {

// BundleIdentity::process of a process that started at `start`, with fresh
// random bytes.
std::string MakeProcessId(absl::Time start, pid_t pid);

// Whether `text` has that form.
bool IsProcessId(std::string_view text);

// When this process started, by the kernel's count; now, where there is none.
absl::Time ProcessStart();

// The machine's or container's name; "localhost" if it has none.
std::string HostName();

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_IDENTITY_H_
