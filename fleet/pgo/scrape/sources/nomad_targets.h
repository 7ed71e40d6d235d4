// Services of Nomad whose tags say that they want to be scraped; see marks.h.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_NOMAD_TARGETS_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_NOMAD_TARGETS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fleet/pgo/scrape/sources/json_api.h"
#include "fleet/pgo/scrape/sources/left_out.h"
#include "fleet/pgo/scrape/sources/source_options.h"
#include "fleet/pgo/scrape/targets.h"

namespace wallprof::pgo {

class NomadTargets : public TargetSource {
 public:
  // Of the environment: NOMAD_ADDR (http://127.0.0.1:4646), NOMAD_TOKEN,
  // NOMAD_NAMESPACE (all), NOMAD_REGION, NOMAD_CACERT, NOMAD_CLIENT_CERT and
  // NOMAD_CLIENT_KEY. InvalidArgument for what is wrong with them.
  static absl::StatusOr<std::unique_ptr<NomadTargets>> Create(
      SourceOptions options);

  std::string name() const override { return "nomad"; }
  absl::StatusOr<std::vector<Target>> List() override;
  absl::Status Check() override;

 private:
  NomadTargets(std::string url, fleet::TransferOptions transfer,
               SourceOptions options);

  std::string PathOf(const std::string& name,
                     const std::string& namespace_name) const;
  absl::Status AddTargets(const std::string& service,
                          const std::string& namespace_name,
                          const Deadline& deadline,
                          std::vector<Target>& targets);

  const SourceOptions options_;
  std::map<std::string, std::string> headers_;
  JsonApi api_;
  std::mutex listing_;  // one at a time
  LeftOut left_out_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_NOMAD_TARGETS_H_
