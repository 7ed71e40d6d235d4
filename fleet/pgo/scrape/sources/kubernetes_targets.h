// Pods of a Kubernetes cluster that say that they want to be scraped: labels
// autopgo.scrape=true and autopgo.scrape.app=APP, annotations
// autopgo.scrape.port, which must be there, .path and .scheme; see marks.h.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_KUBERNETES_TARGETS_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_KUBERNETES_TARGETS_H_

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fleet/pgo/scrape/sources/json_api.h"
#include "fleet/pgo/scrape/sources/kubeconfig.h"
#include "fleet/pgo/scrape/sources/left_out.h"
#include "fleet/pgo/scrape/sources/source_options.h"
#include "fleet/pgo/scrape/targets.h"

namespace wallprof::pgo {

class KubernetesTargets : public TargetSource {
 public:
  // `read_access` is asked for each list, since tokens and certificates change.
  // Its errors are those of Create() at first.
  static absl::StatusOr<std::unique_ptr<KubernetesTargets>> Create(
      std::function<absl::StatusOr<ClusterAccess>()> read_access,
      SourceOptions options);

  std::string name() const override { return "kubernetes"; }
  absl::StatusOr<std::vector<Target>> List() override;
  absl::Status Check() override;

 private:
  // The API as it is reached now.
  struct Connection {
    ClusterAccess access;
    std::shared_ptr<JsonApi> api;
  };

  KubernetesTargets(std::function<absl::StatusOr<ClusterAccess>()> read_access,
                    SourceOptions options);

  absl::StatusOr<Connection> Connect();
  // Those of the pods that have one prefix' labels, in pages.
  absl::Status ListPods(Connection& connection, const std::string& prefix,
                        const Deadline& deadline, std::vector<Target>& targets);
  void AddTarget(const Json& pod, std::vector<Target>& targets);

  const std::function<absl::StatusOr<ClusterAccess>()> read_access_;
  const SourceOptions options_;

  std::mutex mutex_;  // of the connection
  Connection last_;
  std::mutex listing_;  // one at a time
  LeftOut left_out_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_KUBERNETES_TARGETS_H_
