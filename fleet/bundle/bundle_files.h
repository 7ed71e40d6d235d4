// Bundles in a directory: DIR/<program>/<host>/<process>/<time>.zip.
//
// A bundle is written under another name, `.wallprof-<pid>-<n>.tmp`, which is
// locked (flock) for as long as its writer lives, then made durable and
// renamed. So a file that has a bundle's name is a whole one, whatever ended
// the program or filled the disk.
#ifndef WALLPROF_FLEET_BUNDLE_BUNDLE_FILES_H_
#define WALLPROF_FLEET_BUNDLE_BUNDLE_FILES_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fleet/bundle/retention.h"
#include "wallprof/bundle_schedule.h"

namespace wallprof::bundle {

class BundleFiles : public BundleStore {
 public:
  // `now` is the clock that ages are told by.
  BundleFiles(std::string directory, Retention retention,
              std::function<absl::Time()> now);

  // Makes the directory, if need be. The system's error where it cannot be
  // written to.
  absl::Status Prepare() const;

  // Also removes what is beyond the bounds, whether or not this could be kept.
  absl::Status Put(
      const std::string& key,
      const std::function<absl::Status(const BundleSink&)>& write) override;

  int64_t removed() const { return removed_; }

 private:
  const std::string directory_;
  const Retention retention_;
  const std::function<absl::Time()> now_;
  int64_t removed_ = 0;
};

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_BUNDLE_FILES_H_
