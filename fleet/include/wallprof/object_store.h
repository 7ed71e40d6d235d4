// Objects in a store that other machines see too: S3, and whatever speaks its
// protocol; or in a directory, for the processes of one machine.
//
//   auto store = wallprof::OpenObjectStore(
//       "s3://profiles/prod?endpoint=http://10.0.0.7:9000");
//   absl::Status kept = (*store)->Put("a/b", bytes);
#ifndef WALLPROF_OBJECT_STORE_H_
#define WALLPROF_OBJECT_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wallprof {

struct ObjectInfo {
  std::string key;
  int64_t bytes = 0;
  absl::Time modified;
};

// Keys are 1 to 1024 bytes of UTF-8, without control characters, without an
// empty, "." or ".." step between slashes. Thread-safe: each call is one
// request or several, one after the other; what fails in a way that may pass
// (no connection, 5xx, "slow down") is tried again for a while.
//
// Errors of all calls: InvalidArgument for a key that cannot be,
// PermissionDenied, Unavailable where it did not pass, ResourceExhausted where
// the store is full, DataLoss for an answer that is none.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Keeps `bytes` under `key`, in place of what was there. Readers see all of
  // it or nothing.
  virtual absl::Status Put(std::string_view key, std::string_view bytes) = 0;

  // NotFound where there is none; ResourceExhausted if it is larger than
  // `max_bytes`.
  virtual absl::StatusOr<std::string> Get(std::string_view key,
                                          size_t max_bytes) = 0;

  // Its bytes from `offset` on: `bytes` of them, which is at least 1, or fewer
  // where it ends. NotFound as above; OutOfRange if it has none there.
  virtual absl::StatusOr<std::string> GetRange(std::string_view key,
                                               int64_t offset,
                                               int64_t bytes) = 0;

  // Ok also where there was none.
  virtual absl::Status Delete(std::string_view key) = 0;

  // Objects whose keys begin with `prefix` and come after `after`, in the order
  // of the keys' bytes; at most `limit`, which is 1 to 1000. Fewer than
  // `limit`: there are no more.
  virtual absl::StatusOr<std::vector<ObjectInfo>> List(std::string_view prefix,
                                                       std::string_view after,
                                                       int limit) = 0;
};

struct ObjectStoreOptions {
  // For how long a request is tried again.
  absl::Duration patience = absl::Seconds(30);

  // Ends a request whose connection moves no byte for so long.
  absl::Duration stall = absl::Seconds(20);

  // Asked while a call waits; true ends it with Cancelled. May be empty.
  std::function<bool()> cancelled;
};

// "s3://BUCKET[/PREFIX][?endpoint=URL][&region=REGION][&style=path|host]".
// Without an endpoint it is Amazon's, of that region (us-east-1 by default),
// and `style` is host: https://BUCKET.s3.REGION.amazonaws.com/KEY. With one it
// is path: URL/BUCKET/KEY. Of gocloud.dev's parameters for S3 these mean what
// they mean there: an endpoint without scheme, disable_https, use_path_style
// and their older names, hostname_immutable, prefix. Credentials are those of
// the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if set,
// AWS_SESSION_TOKEN; a URL that has any is refused, since URLs get into logs.
//
// InvalidArgument naming the part that is wrong; FailedPrecondition without
// credentials. Makes no connection.
//
// "file:///DIR": a directory, made if it is missing; the object "a/b" is the
// file DIR/a/b. An object's key cannot be below another's there, and what is
// put or deleted is so for good when the call returns.
absl::StatusOr<std::unique_ptr<ObjectStore>> OpenObjectStore(
    std::string_view url, const ObjectStoreOptions& options = {});

}  // namespace wallprof

#endif  // WALLPROF_OBJECT_STORE_H_
