// Which profiles to take of more than can be taken: some of every series,
// evenly over time, so that the sum is still a picture of all of them.
#ifndef WALLPROF_FLEET_COLLECTOR_SAMPLING_H_
#define WALLPROF_FLEET_COLLECTOR_SAMPLING_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "fleet/store/index.h"
#include "fleet/store/profile_store.h"

namespace wallprof::collector {

struct Chosen {
  std::vector<store::IndexEntry> entries;  // in the order of time
  int64_t matching = 0;  // how many there are, of which these are some
};

// At most `most` of what matches `query`. Each series has its share, at least
// one while there is room, taken at even steps from a random place on (of
// stratified sampling, the systematic kind); which series, if there are more of
// them than `most`, is chance too. The same query chooses the same.
// Looks twice where there are too many, and keeps no more than it gives.
// Cancelled when `is_cancelled` says so.
absl::StatusOr<Chosen> Choose(store::ProfileStore& store,
                              const store::Query& query, int64_t most,
                              const std::function<bool()>& is_cancelled);

// The shares of strata with `counts` members in `most` places: in proportion,
// one at least where `most` allows, never more than there are. Which strata get
// one if they are too many is drawn with `seed`. In the order of `counts`.
std::vector<int64_t> Allocate(const std::vector<int64_t>& counts, int64_t most,
                              uint64_t seed);

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_SAMPLING_H_
