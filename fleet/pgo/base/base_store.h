// The bases of all applications: objects and the versions that say which of
// them count. What server and worker both know of.
//
//   record (BaseVersions)  -> <app>/state/<name>.json, the manifest
//   manifest               -> <app>/parts/<name>, the parts with their keys;
//                             <app>/base/<name>, the base; ids of what is in it
//
// All of these are written once and never changed. A base changes with its
// record, by compare-and-swap: whoever loses begins again with what is there
// then. The manifest has the ids of all merged profiles whose staged object may
// still be there, so that a profile whose event comes twice, or to two workers,
// counts once. <app>/default.pgo is a copy of the base for those who look into
// the store.
#ifndef WALLPROF_FLEET_PGO_BASE_BASE_STORE_H_
#define WALLPROF_FLEET_PGO_BASE_BASE_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/profile/policy.h"
#include "fleet/pgo/versions/base_versions.h"
#include "wallprof/object_store.h"

namespace wallprof::pgo {

struct BaseInfo {
  std::string app;
  int64_t bytes = 0;    // of the base
  absl::Time modified;  // when it last changed
};

// Thread-safe. Errors are those of the two engines.
class BaseStore {
 public:
  // Both must outlive the store.
  BaseStore(ObjectStore& objects, BaseVersions& versions);

  ObjectStore& objects() { return objects_; }
  BaseVersions& versions() { return versions_; }

  // Keeps an accepted profile for merging, and returns its key. Several calls
  // in one nanosecond, of several processes too, do not meet. `id`: the number
  // in the key, by which a sender that tries again sends the same profile; 0:
  // a new one.
  absl::StatusOr<std::string> Stage(std::string_view app,
                                    std::string_view bytes, int64_t id = 0);

  // The base as it is now. NotFound where there is none.
  absl::StatusOr<std::string> Download(std::string_view app);

  // NotFound where there is none.
  absl::StatusOr<BaseInfo> Describe(std::string_view app);

  // All that have a base, by name.
  absl::StatusOr<std::vector<BaseInfo>> List();

  // Removes the base and all objects of the application that were there when it
  // began; when it returns ok they are gone. What is uploaded meanwhile begins
  // a new base. NotFound where there is nothing.
  absl::Status Delete(std::string_view app);

 private:
  ObjectStore& objects_;
  BaseVersions& versions_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_BASE_BASE_STORE_H_
