// What `wallprof run` must know of a command before it runs it.
#ifndef WALLPROF_CLI_COMMAND_H_
#define WALLPROF_CLI_COMMAND_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace wallprof::cli {

// Where the object to preload lies: beside this program, or in the library
// directory of the same installation. NotFound naming the places;
// FailedPrecondition where the path is one that cannot be preloaded.
absl::StatusOr<std::string> PreloadPath();

// The file that the shell would run for `name`; empty if there is none.
std::string FindInPath(const std::string& name);

// A sentence why the dynamic loader will not preload anything into `command`,
// or nullopt.
std::optional<std::string> WhyNotRecorded(const std::string& command);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_COMMAND_H_
