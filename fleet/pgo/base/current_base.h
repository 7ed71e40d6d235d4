// An application's base as it is now, and what may be done about it.
//
// Objects are called <app>/<kind>/<revision>-<chance>, after the revision of
// the record that they were made to replace. That is what tells garbage without
// a clock: once the record has another revision, a replacement of that one can
// not succeed any more, and what was made for it and is not needed now never
// will be.
#ifndef WALLPROF_FLEET_PGO_BASE_CURRENT_BASE_H_
#define WALLPROF_FLEET_PGO_BASE_CURRENT_BASE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/base/base_store.h"
#include "fleet/pgo/base/manifest.h"

namespace wallprof::pgo {

struct CurrentBase {
  uint64_t revision = 0;
  Record record;                             // empty where there is none
  std::shared_ptr<const Manifest> manifest;  // never null
  // Ok; or why record or manifest cannot be read, which nothing will change:
  // they are then as if there were none.
  absl::Status damage;

  bool has_base() const { return !record.base.empty(); }
};

// Manifests that were read lately: they never change, and every event asks for
// one. For one thread.
class ManifestCache {
 public:
  std::shared_ptr<const Manifest> Find(std::string_view key) const;
  void Keep(std::string_view key, std::shared_ptr<const Manifest> manifest);

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Manifest> manifest;
  };
  std::vector<Entry> entries_;  // the latest first
};

// `cache` may be nullptr. Errors are those of the engines.
absl::StatusOr<CurrentBase> ReadCurrent(BaseStore& store, std::string_view app,
                                        ManifestCache* cache = nullptr);

inline constexpr char kParts[] = "parts";
inline constexpr char kBases[] = "base";
inline constexpr char kStates[] = "state";

// A key that no other object has.
std::string NewKey(std::string_view app, std::string_view kind,
                   uint64_t revision);

// Of such a key; nullopt for any other.
std::optional<uint64_t> RevisionOf(std::string_view key);

// Replaces the record, and finds out whether it did where the engine cannot
// say. False: another was quicker, or has built on this one already. Errors
// leave open which.
absl::StatusOr<bool> ReplaceRecord(BaseVersions& versions, std::string_view app,
                                   uint64_t revision, std::string_view record);

// Removes those of `keys` that will never be needed again, whoever made them
// for what. Others stay.
absl::Status RemoveUnneeded(BaseStore& store, std::string_view app,
                            const std::vector<std::string>& keys);

// Makes <app>/default.pgo what the base is now.
absl::Status RefreshDefault(BaseStore& store, std::string_view app);

// Everything that begins with `prefix`, in the order of keys, given to `take`.
absl::Status ForEachObject(ObjectStore& objects, std::string_view prefix,
                           const std::function<void(const ObjectInfo&)>& take);

// A pause of random length, up to about twice as long with each try.
void PauseAfterTry(int tries);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_BASE_CURRENT_BASE_H_
