// What a base is made of, as it is written down.
//
// The record says which manifest counts; the manifest, an object that never
// changes, has all else. A manifest without a base is that of an application
// that is being deleted: its ids are those of profiles that shall not come
// back.
#ifndef WALLPROF_FLEET_PGO_BASE_MANIFEST_H_
#define WALLPROF_FLEET_PGO_BASE_MANIFEST_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wallprof::pgo {

struct Record {
  int64_t generation = 0;  // of the base, for people: 1, 2, ...
  std::string manifest;    // key
  std::string base;        // key; empty: none
  int64_t bytes = 0;       // of the base
  absl::Time modified;
};

std::string EncodeRecord(const Record& record);

// DataLoss saying what is wrong.
absl::StatusOr<Record> DecodeRecord(std::string_view text);

struct ManifestPart {
  std::string version;
  // How long the policy's stretches were when the part was begun, and which of
  // them it is. A policy that is set later has other stretches: its profiles
  // go to parts of their own.
  absl::Duration length = absl::ZeroDuration();
  int64_t stretch = 0;
  absl::Time first;  // of its profiles
  absl::Time last;
  int64_t profiles = 0;
  std::string key;
  int64_t bytes = 0;
};

struct MergedProfile {
  int64_t id = 0;   // the number in its staging key
  absl::Time seen;  // when its staged object was last known to be there
};

struct Manifest {
  std::string base;
  std::vector<ManifestPart> parts;

  // When each version's first profile was taken. Also of those whose parts are
  // all gone by their age: which version is the newest must not depend on when
  // that was.
  std::map<std::string, absl::Time> versions;

  std::vector<MergedProfile> merged;  // by id

  // The entry of `id`, or nullptr.
  const MergedProfile* Find(int64_t id) const;

  // Whether the object called `key` is one of those that the manifest needs.
  bool Needs(std::string_view key) const;
};

std::string EncodeManifest(const Manifest& manifest);

// DataLoss saying what is wrong.
absl::StatusOr<Manifest> DecodeManifest(std::string_view text);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_BASE_MANIFEST_H_
