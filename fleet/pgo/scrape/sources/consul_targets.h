// Services of Consul's catalog whose tags say that they want to be scraped; see
// marks.h.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_CONSUL_TARGETS_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_CONSUL_TARGETS_H_

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

class ConsulTargets : public TargetSource {
 public:
  // Of the environment: CONSUL_HTTP_ADDR (127.0.0.1:8500; with or without a
  // scheme, unix:///path too), CONSUL_HTTP_SSL, CONSUL_HTTP_TOKEN or
  // CONSUL_HTTP_TOKEN_FILE, which is read for each list, CONSUL_NAMESPACE,
  // CONSUL_CACERT, CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY. InvalidArgument
  // for what is wrong with them.
  static absl::StatusOr<std::unique_ptr<ConsulTargets>> Create(
      SourceOptions options);

  std::string name() const override { return "consul"; }
  absl::StatusOr<std::vector<Target>> List() override;
  absl::Status Check() override;

 private:
  ConsulTargets(std::string url, fleet::TransferOptions transfer,
                SourceOptions options);

  std::map<std::string, std::string> Headers() const;
  absl::Status AddTargets(const std::string& service, const Deadline& deadline,
                          std::vector<Target>& targets);

  const SourceOptions options_;
  std::string query_;  // behind each path
  JsonApi api_;
  std::mutex listing_;  // one at a time
  LeftOut left_out_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_CONSUL_TARGETS_H_
