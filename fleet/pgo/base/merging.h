// The next version of a base: the one there is, and some staged profiles.
#ifndef WALLPROF_FLEET_PGO_BASE_MERGING_H_
#define WALLPROF_FLEET_PGO_BASE_MERGING_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fleet/pgo/base/base_store.h"
#include "fleet/pgo/base/current_base.h"
#include "fleet/pgo/base/part_cache.h"
#include "fleet/pgo/base/staged_batch.h"
#include "fleet/pgo/base/worker.h"
#include "fleet/pgo/profile/combine.h"

namespace wallprof::pgo {

struct NextBase {
  // Whether there is anything new.
  bool changed = false;
  // Another version came before this one: begin again.
  bool lost = false;

  Record record;
  Manifest manifest;
  Quality quality;
  std::vector<int64_t> merged;      // what is new in it
  std::vector<Refused> refused;     // by their ids
  std::string refused_default;      // why what was there before is no part
  std::vector<std::string> damage;  // what of the base could not be read
  absl::Status removal;             // of objects that nothing needs any more
};

struct Merging {
  BaseStore& store;
  const WorkerOptions& options;
  const PruneRules& rules;
  PartCache& cache;
  std::string_view app;
  // Called now and then while it goes on; may be empty.
  std::function<void()> going_on;
};

// Adds the profiles called `ids`, as far as they are there and not part of
// `current` already. `remembered`, which may be nullptr: the ids that it shall
// know besides, in place of those that `current` knows. Errors are those of the
// engines; whether the version is there nobody knows then, and another try
// finds out.
//
// In memory are, at a time: kReadAhead profiles unpacked; the sums of the parts
// that the batch adds to, unpacked; all parts and the base, packed; and what
// `cache` keeps.
absl::StatusOr<NextBase> MergeNext(
    const Merging& merging, const CurrentBase& current,
    const std::vector<int64_t>& ids,
    const std::vector<MergedProfile>* remembered = nullptr);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_BASE_MERGING_H_
