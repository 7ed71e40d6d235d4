// The heaviest functions as a table to read.
#ifndef WALLPROF_CLI_TOP_TABLE_H_
#define WALLPROF_CLI_TOP_TABLE_H_

#include <cstddef>
#include <string>

#include "profiler/profile/top_functions.h"
#include "wallprof/profile.h"

namespace wallprof::cli {

// The first `rows` functions, each with its own and its total weight and their
// shares; of a difference, how much each changed, what it had itself before and
// after, and how much its total changed. A last line says how many more there
// are.
std::string TopTable(const TopFunctions& top, size_t rows);

// A line that says what was lost as the profile was taken, by its comments:
// "lost: truncated 3, masked 10". Empty for nothing.
std::string LossLine(const Profile& profile);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_TOP_TABLE_H_
