// Versions in a key-value bucket of NATS JetStream: a key for each application,
// the stream's sequence number as revision.
#ifndef WALLPROF_FLEET_PGO_VERSIONS_NATS_VERSIONS_H_
#define WALLPROF_FLEET_PGO_VERSIONS_NATS_VERSIONS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/engines/nats_connection.h"
#include "fleet/pgo/versions/base_versions.h"

namespace wallprof::pgo {

class NatsVersions : public BaseVersions {
 public:
  // Makes the bucket if it is not there. FailedPrecondition for one that loses
  // what it has after a while or with its server. A call is tried for
  // `patience` where NATS is away.
  static absl::StatusOr<std::unique_ptr<BaseVersions>> Open(
      NatsServers servers, std::string bucket,
      absl::Duration patience = absl::Seconds(10));

  absl::StatusOr<BaseVersion> Get(std::string_view app) override;
  absl::StatusOr<uint64_t> Replace(std::string_view app, uint64_t revision,
                                   std::string_view record) override;
  absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>> List()
      override;
  absl::Status Check() override;

 private:
  using Listed = std::vector<std::pair<std::string, BaseVersion>>;

  NatsVersions(std::unique_ptr<NatsConnection> connection, std::string bucket,
               absl::Duration patience)
      : connection_(std::move(connection)),
        bucket_(std::move(bucket)),
        stream_("KV_" + bucket_),
        patience_(patience) {}

  absl::Status MakeBucket(NatsSession& session, absl::Duration wait);
  absl::Status CheckBucket(NatsSession& session, absl::Duration wait);
  absl::Status ListOnce(NatsSession& session, absl::Duration wait,
                        Listed& listed);
  absl::Status Error(NatsSession& session, natsStatus status, jsErrCode code);
  std::string SubjectOf(std::string_view app) const;

  const std::unique_ptr<NatsConnection> connection_;
  const std::string bucket_;
  const std::string stream_;  // as NATS calls that of a bucket
  const absl::Duration patience_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_VERSIONS_NATS_VERSIONS_H_
