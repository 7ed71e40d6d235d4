// A base is made of parts: the sum of all profiles of one version and one
// stretch of time, as they were taken. Sums of whole numbers do not depend on
// the order in which they are made; weights are applied when parts are put
// together, so that neither does the base.
#ifndef WALLPROF_FLEET_PGO_PROFILE_PART_H_
#define WALLPROF_FLEET_PGO_PROFILE_PART_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/profile/accept.h"

namespace wallprof::pgo {

// Which part a profile belongs to.
struct PartKey {
  std::string version;  // AcceptedProfile::version
  int64_t stretch = 0;  // Unix seconds of its beginning; 0 without decay

  friend bool operator==(const PartKey& a, const PartKey& b) {
    return a.version == b.version && a.stretch == b.stretch;
  }
  friend bool operator<(const PartKey& a, const PartKey& b) {
    return a.version != b.version ? a.version < b.version
                                  : a.stretch < b.stretch;
  }
};

// A staged profile, read.
struct StagedProfile {
  std::string message;  // profile.proto, not packed
  std::string version;
  // Of its taking; of its upload where it does not say, or says a later one.
  absl::Time time;
};

// What was staged, read and checked once more, since others can write to the
// store. A profile that is fit but not in the staged form (another program's)
// is brought into it. `uploaded`: of the staging key. Errors as AcceptProfile.
absl::StatusOr<StagedProfile> ReadStaged(std::string_view bytes,
                                         absl::Time uploaded,
                                         const AcceptLimits& limits = {});

// What the sum of a part or a base may take of memory: far above what a
// compiler reads in reasonable time.
inline constexpr size_t kMostSumBytes = size_t{1} << 30;

// Of such a sum's message, and of what a decoder would make of it: never less
// than what was written.
inline constexpr size_t kMostPartBytes = size_t{1} << 30;
inline constexpr size_t kMostDecodedPartBytes = size_t{8} << 30;

// A part to be added to, for one thread. Errors as PprofMerger.
class PartSum {
 public:
  PartSum();
  ~PartSum();
  PartSum(PartSum&& other) noexcept;
  PartSum& operator=(PartSum&& other) noexcept;

  // What was there before, as Finish() wrote it. At most once, before Add().
  absl::Status AddPart(std::string_view bytes);

  // A staged profile's message. What is refused is not part of the sum.
  absl::Status Add(std::string_view message);

  // Another part's profiles. Not itself.
  absl::Status Add(const PartSum& other);

  // Gzipped pprof. Equal profiles give equal bytes, in whatever order they were
  // added, by whatever number of sums before: samples in the order of their
  // stacks, tables in the order of use, time the earliest, duration the sum.
  absl::StatusOr<std::string> Finish() &&;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_PART_H_
