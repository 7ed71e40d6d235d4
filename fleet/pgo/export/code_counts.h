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

// How a mapping of the profile is known to be of the binary.
enum class Match {
  kBuildId,
  // By the file's name alone: whoever asks for it vouches for the addresses.
  kName,
};

struct CodeCounts {
  // Samples whose innermost frame is at this address (before relocation).
  std::map<uint64_t, int64_t> at;
  // Samples by call: an address in the call instruction, and one in the
  // function that was called. Both in the binary.
  std::map<std::pair<uint64_t, uint64_t>, int64_t> calls;

  int64_t total = 0;  // of the profile: matched and all of `elsewhere`
  int64_t matched = 0;
  // Samples whose innermost frame is not in the binary, by what is said of
  // them: "libc.so.6", "no mapping", "no address".
  std::map<std::string, int64_t> elsewhere;
};

// On-CPU samples of `profile` in `image`, the file at `path`. Samples are those
// of samples/count where the profile is one of CPU time, else CPU time over the
// period.
// InvalidArgument where the profile has wall-clock time only;
// FailedPrecondition where nothing of it is of this binary, with the build ids
// of both.
absl::StatusOr<CodeCounts> CountCode(const Profile& profile,
                                     const symbolize::ElfImage& image,
                                     const std::string& path, Match match);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_CODE_COUNTS_H_
