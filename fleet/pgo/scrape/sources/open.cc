#include "fleet/pgo/scrape/sources/open.h"

#include <utility>

#include "fleet/pgo/scrape/sources/consul_targets.h"
#include "fleet/pgo/scrape/sources/file_targets.h"
#include "fleet/pgo/scrape/sources/kubernetes_targets.h"
#include "fleet/pgo/scrape/sources/nomad_targets.h"

namespace wallprof::pgo {
namespace {

std::function<absl::StatusOr<ClusterAccess>()> AccessBy(
    const std::string& kubeconfig, const SourceOptions& options) {
  if (kubeconfig.empty()) {
    return
        [variable = options.variable] { return ReadServiceAccount(variable); };
  }
  return [kubeconfig] { return ReadKubeconfig(kubeconfig); };
}

}  // namespace

absl::StatusOr<std::unique_ptr<TargetSource>> OpenTargets(
    SourceKind kind, const std::string& argument, SourceOptions options) {
  switch (kind) {
    case SourceKind::kFile:
      return FileTargets::Open(argument);
    case SourceKind::kKubernetes:
      return KubernetesTargets::Create(AccessBy(argument, options), options);
    case SourceKind::kNomad:
      return NomadTargets::Create(std::move(options));
    case SourceKind::kConsul:
      return ConsulTargets::Create(std::move(options));
  }
  return absl::InternalError("there is no such kind of source");
}

}  // namespace wallprof::pgo
