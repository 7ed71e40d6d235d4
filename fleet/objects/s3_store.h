// An object store that is spoken to as S3 is.
#ifndef WALLPROF_FLEET_OBJECTS_S3_STORE_H_
#define WALLPROF_FLEET_OBJECTS_S3_STORE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/objects/object_url.h"
#include "fleet/objects/signature.h"
#include "fleet/transfer/transfer.h"
#include "wallprof/object_store.h"

namespace wallprof::objects {

// Time as the store sees it pass; tests give another.
struct Clock {
  std::function<absl::Time()> now;
  std::function<void(absl::Duration)> sleep;

  static Clock System();
};

class S3Store : public ObjectStore {
 public:
  S3Store(ObjectUrl url, Credentials credentials, ObjectStoreOptions options,
          Clock clock);

  absl::Status Put(std::string_view key, std::string_view bytes) override;
  absl::StatusOr<std::string> Get(std::string_view key,
                                  size_t max_bytes) override;
  absl::StatusOr<std::string> GetRange(std::string_view key, int64_t offset,
                                       int64_t bytes) override;
  absl::Status Delete(std::string_view key) override;
  absl::StatusOr<std::vector<ObjectInfo>> List(std::string_view prefix,
                                               std::string_view after,
                                               int limit) override;

 private:
  using Query = std::map<std::string, std::string>;

  struct Call {
    std::string method;
    std::string key;  // in the bucket; empty: the bucket's own
    Query query;
    std::string_view body;
    size_t max_bytes;
    std::string range = {};  // the header's value; empty: none
  };

  std::string KeyInBucket(std::string_view key) const;
  std::string PathOf(const Call& call) const;
  std::string Describe(const Call& call) const;
  absl::StatusOr<fleet::TransferAnswer> Send(const Call& call);
  absl::StatusOr<fleet::TransferAnswer> SendOnce(const Call& call);
  bool LearnSkew(const fleet::TransferAnswer& answer);

  const ObjectUrl url_;
  const Credentials credentials_;
  const ObjectStoreOptions options_;
  const Clock clock_;
  fleet::Transfer transfer_;
  // What the store's clock is ahead of ours, in seconds.
  std::atomic<int64_t> skew_s_{0};
};

}  // namespace wallprof::objects

#endif  // WALLPROF_FLEET_OBJECTS_S3_STORE_H_
