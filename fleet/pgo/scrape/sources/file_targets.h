// Targets in a file of JSON, in which there may be comments:
//
//   [
//     // path: /debug/pprof/profile where it is left out; version: none
//     {"address": "http://10.0.0.7:6060", "path": "/debug/pprof/profile",
//      "version": "1.4.2"}
//   ]
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_FILE_TARGETS_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_FILE_TARGETS_H_

#include <sys/stat.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/pgo/scrape/targets.h"

namespace wallprof::pgo {

// What such a text says; InvalidArgument, where it is wrong and how.
absl::StatusOr<std::vector<Target>> ParseTargets(std::string_view text);

class FileTargets : public TargetSource {
 public:
  // Errors name the file, the place in it, and what is wrong.
  static absl::StatusOr<std::unique_ptr<FileTargets>> Open(std::string path);

  std::string name() const override;

  // The file is read where it looks other than the last time; what has not
  // changed is as good, or as wrong, as it was.
  absl::StatusOr<std::vector<Target>> List() override;

  absl::Status Check() override { return List().status(); }

 private:
  // What tells that a file may have changed.
  struct Look {
    explicit Look(const struct stat& status);
    bool operator==(const Look& other) const;

    ino_t inode;
    off_t bytes;
    int64_t modified_ns;
    int64_t changed_ns;
  };

  explicit FileTargets(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<std::vector<Target>> Read(const struct stat& status) const;

  const std::string path_;
  std::mutex mutex_;
  std::unique_ptr<Look> looked_;
  absl::StatusOr<std::vector<Target>> targets_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_FILE_TARGETS_H_
