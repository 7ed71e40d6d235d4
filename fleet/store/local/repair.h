// What an end without warning has left, put right before a store is used.
#ifndef WALLPROF_FLEET_STORE_LOCAL_REPAIR_H_
#define WALLPROF_FLEET_STORE_LOCAL_REPAIR_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fleet/log/log_line.h"
#include "fleet/store/local/local_index.h"
#include "fleet/store/local/segment_files.h"

namespace wallprof::store::local {

// An index as it was found, or an empty one in the place of one that was
// missing or damaged.
struct OpenedIndex {
  std::unique_ptr<LocalIndex> index;
  bool is_new = false;
};

// A damaged one is kept aside, under another name.
absl::StatusOr<OpenedIndex> OpenLocalIndex(const std::string& directory,
                                           const fleet::LineLog& log);

// Adds to the index what is in the segments alone, takes out of it what is in
// no segment, and cuts off what was written by half. Tells `log` of each, and
// of stretches that are no records.
absl::Status Repair(const OpenedIndex& opened, SegmentFiles& segments,
                    const fleet::LineLog& log);

// An index and the segments it is of, repaired.
struct LocalParts {
  std::unique_ptr<LocalIndex> index;
  std::unique_ptr<SegmentFiles> segments;
};
absl::StatusOr<LocalParts> OpenLocalParts(const std::string& directory,
                                          SegmentFileOptions options,
                                          const fleet::LineLog& log);

}  // namespace wallprof::store::local

#endif  // WALLPROF_FLEET_STORE_LOCAL_REPAIR_H_
