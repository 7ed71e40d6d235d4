// How an API is reached, as its own tools are told by the environment.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_REACHING_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_REACHING_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "fleet/transfer/transfer.h"

namespace wallprof::pgo {

struct Reaching {
  std::string url;
  fleet::TransferOptions transfer;
};

// The variables that name files of PEM.
struct TlsVariables {
  const char* certificates;
  const char* client_certificate;
  const char* client_key;
};

// `address` is the URL that the variable `name` has, or "unix:///path".
// InvalidArgument naming the variable, or the file and what is wrong.
absl::StatusOr<Reaching> ReachingOf(
    const char* name, std::string address, const TlsVariables& tls,
    const std::function<std::string(const char*)>& variable);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_REACHING_H_
