// Profiles in files named on the command line, where "-" is standard input or
// output.
#ifndef WALLPROF_CLI_PROFILE_FILE_H_
#define WALLPROF_CLI_PROFILE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "wallprof/formats.h"
#include "wallprof/profile.h"
#include "wallprof/recorder.h"

namespace wallprof::cli {

// Which part of what was recorded; empty: from the first, to the last.
struct PastTimes {
  std::string from;
  std::string to;
};

// `path` is a file, or a directory that a recorder wrote to, of which `times`
// is read as `options` say; what is corrupt there is said on standard error.
// Errors name `path`.
absl::StatusOr<Profile> ReadProfile(const std::string& path,
                                    const PastTimes& times = {},
                                    const PastOptions& options = {});

// What is in a file. Errors do not name it.
absl::StatusOr<std::string> ReadBytes(const std::string& path);

// A file appears whole or not at all.
absl::Status WriteProfile(const Profile& profile, const std::string& path,
                          Format format, const FoldedOptions& folded = {});

// Writes all of `bytes` to standard output.
absl::Status Print(const std::string& bytes);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PROFILE_FILE_H_
