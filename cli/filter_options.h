// --focus, --ignore and the like: which part of a profile a verb looks at.
#ifndef WALLPROF_CLI_FILTER_OPTIONS_H_
#define WALLPROF_CLI_FILTER_OPTIONS_H_

#include <CLI/CLI.hpp>

#include "wallprof/filter.h"

namespace wallprof::cli {

// What the user asked for.
struct FilterOptions {
  Filters filters;
  bool detail = false;  // what samples wait for as their innermost frames
  bool prune = false;   // by the profile's own drop_frames and keep_frames
};

// Adds the options. A regular expression that is none is wrong usage.
void AddFilterOptions(CLI::App& verb, FilterOptions& options);

// The part of `profile` that was asked for. InvalidArgument if the profile's
// own expressions are none.
absl::StatusOr<Profile> ApplyFilters(const FilterOptions& options,
                                     const Profile& profile);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_FILTER_OPTIONS_H_
