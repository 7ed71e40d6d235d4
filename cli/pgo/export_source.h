// What `wallprof pgo export` is given: a file, or what the server has.
#ifndef WALLPROF_CLI_PGO_EXPORT_SOURCE_H_
#define WALLPROF_CLI_PGO_EXPORT_SOURCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/pgo/client_options.h"
#include "wallprof/profile.h"

namespace wallprof::cli {

// The profile in the file `source` ("-" is standard input) if there is one, or
// else the server's of the program that is called so. A program's own file is
// no profile: it mostly lies where one builds, under the very name that it has
// at the server. Errors name `source`, and say what is wanted of a file that
// says neither addresses nor lines.
absl::StatusOr<Profile> ReadExportSource(const std::string& source,
                                         const ClientArguments& client);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PGO_EXPORT_SOURCE_H_
