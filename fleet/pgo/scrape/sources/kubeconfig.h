// How to reach a Kubernetes cluster, and as whom.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_KUBECONFIG_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_KUBECONFIG_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace wallprof::pgo {

struct ClusterAccess {
  std::string server;              // "https://10.0.0.1:6443"
  std::string certificates;        // PEM, those to trust; empty: the system's
  std::string client_certificate;  // PEM, or empty
  std::string client_key;          // PEM, or empty
  std::string token;               // or empty
};

// What the file's current context says, with all files that it names read.
// InvalidArgument for what it says wrong, and for what is not supported here:
// programs that give credentials (exec), passwords, proxies, servers whose
// certificates are not looked at.
absl::StatusOr<ClusterAccess> ReadKubeconfig(const std::string& path);

inline constexpr char kServiceAccount[] =
    "/var/run/secrets/kubernetes.io/serviceaccount";

// What a pod is told of the cluster that it runs in: in the variables
// KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT and in the files `token`
// and `ca.crt` of `directory`. FailedPrecondition where it runs in none.
absl::StatusOr<ClusterAccess> ReadServiceAccount(
    const std::function<std::string(const char*)>& variable,
    const std::string& directory = kServiceAccount);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_KUBECONFIG_H_
