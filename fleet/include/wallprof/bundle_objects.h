// Bundles kept in an object store. Uses wallprof::bundle and
// wallprof::objects.
#ifndef WALLPROF_BUNDLE_OBJECTS_H_
#define WALLPROF_BUNDLE_OBJECTS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "wallprof/bundle_schedule.h"
#include "wallprof/object_store.h"

namespace wallprof {

// Each bundle is made in memory, within its own bound, and sent whole, so that
// none is ever there in part. How long they are kept is for the store's rules.
class BundleObjects : public BundleStore {
 public:
  explicit BundleObjects(std::shared_ptr<ObjectStore> objects)
      : objects_(std::move(objects)) {}

  absl::Status Put(
      const std::string& key,
      const std::function<absl::Status(const BundleSink&)>& write) override {
    std::string bundle;
    absl::Status written = write([&](std::string_view bytes) {
      bundle.append(bytes.data(), bytes.size());
      return absl::OkStatus();
    });
    return written.ok() ? objects_->Put(key, bundle) : written;
  }

 private:
  const std::shared_ptr<ObjectStore> objects_;
};

}  // namespace wallprof

#endif  // WALLPROF_BUNDLE_OBJECTS_H_
