// How often a profile met each address of one binary on a CPU.
#ifndef WALLPROF_FLEET_PGO_EXPORT_CODE_COUNTS_H_
#define WALLPROF_FLEET_PGO_EXPORT_CODE_COUNTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "profiler/symbolize/elf_image.h"
#include "wallprof/profile.h"

namespace wallprof::pgo {

// How code of the profile is known to be of the binary.
enum class Match {
  kBuildId,
  // By the file's name alone: whoever asks for it vouches for the addresses.
  kName,
  // By functions and lines, whatever the addresses (line_table.h).
  kLines,
};

struct CodeCounts {
  // Samples whose innermost frame is at this address (before relocation).
  std::map<uint64_t, int64_t> at;
  // Samples by call: an address in the call instruction, and one in the
  // function that was called. Both in the binary. A recursive call counts once
  // in a stack.
  std::map<std::pair<uint64_t, uint64_t>, int64_t> calls;

  int64_t total = 0;  // of the profile: matched and all of `elsewhere`
  int64_t matched = 0;
  // Samples whose innermost frame is not in the binary, by what is said of
  // them: "libc.so.6", "[kernel]", "no mapping", "no address".
  std::map<std::string, int64_t> elsewhere;
};

// Reduces `profile` to on-CPU samples, as KeepCpuColumns(), whose errors it
// has: the first column is how many. Stacks whose share of CPU time is less
// than a sample's stay, with none.
absl::Status KeepOnCpu(Profile& profile);

// Counts of `profile`, which KeepOnCpu() has reduced, in `image`, the file at
// `path`. `match` is by build id or by name.
// FailedPrecondition where nothing of it is of this binary, saying what the
// binary and the profile have, and what to do.
absl::StatusOr<CodeCounts> CountCode(const Profile& profile,
                                     const symbolize::ElfImage& image,
                                     const std::string& path, Match match);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_CODE_COUNTS_H_
