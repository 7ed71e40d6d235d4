// How much one request may ask for, or bring.
#ifndef WALLPROF_FLEET_COLLECTOR_LIMITS_H_
#define WALLPROF_FLEET_COLLECTOR_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace wallprof::collector {

struct Limits {
  // Of a body as it was sent. Heap profiles of large programs take 2 MiB.
  size_t body_bytes = size_t{16} << 20;

  // Of a profile when unpacked: eight times what gzip makes of real ones, so
  // that a body which grows a thousandfold is stopped.
  size_t message_bytes = size_t{128} << 20;

  // Stacks in a profile. A wall profile of ten thousand threads fits.
  int64_t samples = 100'000;

  // Frames in a stack; what most profilers stop at, twice.
  int64_t depth = 2048;

  // Labels of a series, and of a sample.
  int64_t labels = 30;

  // Of a service's name, of a label's key and of its value.
  size_t name_bytes = 1024;

  // Series altogether. Each takes memory while the collector runs, and a label
  // that is always new (a request's number) makes one of each profile.
  int64_t series = 1'000'000;

  // How old a profile may be, which is when it would be removed again. Zero: as
  // old as it likes.
  absl::Duration age;

  // Clocks of a fleet differ by less.
  absl::Duration clock_skew = absl::Hours(24);

  // Profiles in one list. A service of 300 instances makes as many in two
  // hours, and a page of them is some 20 MB.
  int64_t listed = 100'000;

  // Profiles in one merge; of more, some are chosen.
  int64_t merged = 1000;

  // How long a merge may take before it answers with what it has.
  absl::Duration query_time = absl::Seconds(30);

  // Of the sum of profiles; while it is made, of each processor's part.
  size_t merge_bytes = size_t{512} << 20;

  // Merges at once; each uses the processors alone.
  int64_t queries = 4;
};

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_LIMITS_H_
