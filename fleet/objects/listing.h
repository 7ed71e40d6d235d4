// S3's answers in XML.
#ifndef WALLPROF_FLEET_OBJECTS_LISTING_H_
#define WALLPROF_FLEET_OBJECTS_LISTING_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "wallprof/object_store.h"

namespace wallprof::objects {

struct Listing {
  std::vector<ObjectInfo> objects;
  bool truncated = false;  // there are more
};

// Of ListObjectsV2. DataLoss saying what is wrong with it.
absl::StatusOr<Listing> ParseListing(std::string_view xml);

struct StoreError {
  std::string code;     // "NoSuchKey"
  std::string message;  // for people
};

// Of an answer that is no success; nothing where it is no such XML.
std::optional<StoreError> ParseStoreError(std::string_view xml);

}  // namespace wallprof::objects

#endif  // WALLPROF_FLEET_OBJECTS_LISTING_H_
