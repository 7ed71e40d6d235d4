// Filters of samples by label, written as for `go tool pprof -tagfocus`.
#ifndef WALLPROF_CLI_TAG_FILTER_H_
#define WALLPROF_CLI_TAG_FILTER_H_

#include <string>

#include "absl/status/statusor.h"
#include "wallprof/filter.h"

namespace wallprof::cli {

// Of "KEY=WHAT" or, for any key, "WHAT". WHAT is a range of numbers, "5", "5:",
// ":5" or "5:9", each with a unit or without; else regular expressions with
// commas between them. With a key, one of them has to match a text of that
// label; without, each of them some "key:text". InvalidArgument for an
// expression that is none.
absl::StatusOr<SampleMatch> ParseTagFilter(const std::string& text);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_TAG_FILTER_H_
