// The last bundle of a command that was killed, or crashed: it wrote none
// itself, but its recording is here.
#ifndef WALLPROF_CLI_FINAL_BUNDLE_H_
#define WALLPROF_CLI_FINAL_BUNDLE_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/child_process.h"

namespace wallprof::cli {

class FinalBundle {
 public:
  // Made before the command is started, which may go elsewhere.
  explicit FinalBundle(const std::string& directory);

  const std::string& directory() const { return directory_; }

  // What the command's bundles call its process, if it has this pid.
  std::string ProcessOf(pid_t pid) const;

  // Writes a bundle of the whole run from the file descriptor `recording`,
  // beside those that the command wrote; unless it ended in a way that lets it
  // write its own.
  absl::Status WriteIfMissing(const std::string& command, const Ended& ended,
                              int recording) const;

 private:
  std::string directory_;
  absl::Time start_;
  std::string process_;  // of pid 0
};

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_FINAL_BUNDLE_H_
