// Bases in columns, for people.
#ifndef WALLPROF_CLI_PGO_BASE_TABLE_H_
#define WALLPROF_CLI_PGO_BASE_TABLE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fleet/pgo/base/base_store.h"

namespace wallprof::cli {

// NAME, SIZE in bytes and LAST MODIFIED, the time since then, with a heading.
std::string BaseTable(const std::vector<pgo::BaseInfo>& bases, absl::Time now);

// The two largest units of it: "12s", "5m12s", "3h0m", "2d5h".
std::string AgeText(absl::Duration age);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PGO_BASE_TABLE_H_
