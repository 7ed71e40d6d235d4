// Where the scraper learns its targets.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_OPEN_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_OPEN_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "fleet/pgo/scrape/sources/source_options.h"
#include "fleet/pgo/scrape/targets.h"

namespace wallprof::pgo {

enum class SourceKind { kFile, kKubernetes, kNomad, kConsul };

// `argument` is the file of the targets, which must be good; or a kubeconfig,
// empty for the cluster that this runs in; else not used. What others answer is
// not asked yet.
absl::StatusOr<std::unique_ptr<TargetSource>> OpenTargets(
    SourceKind kind, const std::string& argument, SourceOptions options);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_OPEN_H_
