// The address of an object store.
#ifndef WALLPROF_FLEET_OBJECTS_OBJECT_URL_H_
#define WALLPROF_FLEET_OBJECTS_OBJECT_URL_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace wallprof::objects {

struct ObjectUrl {
  std::string scheme;     // http or https
  std::string authority;  // host, with port if it is not the scheme's; the
                          // bucket's own if it has one
  std::string root;       // path of the bucket: "" or "/bucket"
  std::string region;
  std::string prefix;  // of all keys in the bucket: "" or "a/b/"
};

// See OpenObjectStore. InvalidArgument naming the part that is wrong.
absl::StatusOr<ObjectUrl> ParseObjectUrl(std::string_view url);

// InvalidArgument unless it is as ObjectStore says.
absl::Status CheckKey(std::string_view key);

}  // namespace wallprof::objects

#endif  // WALLPROF_FLEET_OBJECTS_OBJECT_URL_H_
