#include "fleet/pgo/scrape/sources/consul_targets.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fleet/files/files.h"
#include "fleet/pgo/scrape/sources/marks.h"
#include "fleet/pgo/scrape/sources/reaching.h"
#include "fleet/transfer/url.h"

namespace wallprof::pgo {
namespace {

constexpr char kServices[] = "/v1/catalog/services";
constexpr char kService[] = "/v1/catalog/service/";
constexpr char kDefaultAddress[] = "127.0.0.1:8500";

bool IsTrue(const std::string& text) {
  return text == "1" || absl::EqualsIgnoreCase(text, "true");
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConsulTargets>> ConsulTargets::Create(
    SourceOptions options) {
  std::string address = options.variable("CONSUL_HTTP_ADDR");
  if (address.empty()) address = kDefaultAddress;
  if (!absl::StrContains(address, "://")) {
    address.insert(0, IsTrue(options.variable("CONSUL_HTTP_SSL")) ? "https://"
                                                                  : "http://");
  }
  absl::StatusOr<Reaching> reaching =
      ReachingOf("CONSUL_HTTP_ADDR", std::move(address),
                 {"CONSUL_CACERT", "CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY"},
                 options.variable);
  if (!reaching.ok()) return reaching.status();
  return std::unique_ptr<ConsulTargets>(
      new ConsulTargets(std::move(reaching->url), std::move(reaching->transfer),
                        std::move(options)));
}

ConsulTargets::ConsulTargets(std::string url, fleet::TransferOptions transfer,
                             SourceOptions options)
    : options_(std::move(options)),
      api_(std::move(url), std::move(transfer), options_),
      left_out_(options_.warn) {
  const std::string name = options_.variable("CONSUL_NAMESPACE");
  if (!name.empty()) query_ = absl::StrCat("?ns=", fleet::Escaped(name));
}

std::map<std::string, std::string> ConsulTargets::Headers() const {
  std::string token = options_.variable("CONSUL_HTTP_TOKEN");
  const std::string file = options_.variable("CONSUL_HTTP_TOKEN_FILE");
  if (token.empty() && !file.empty()) {
    // Without one Consul says what is missing.
    token = fleet::ReadWhole(file).value_or("");
    absl::StripAsciiWhitespace(&token);
  }
  if (token.empty()) return {};
  return {{"X-Consul-Token", token}};
}

absl::StatusOr<std::vector<Target>> ConsulTargets::List() {
  std::lock_guard lock(listing_);
  const Deadline deadline(options_.list_timeout);
  const absl::StatusOr<Json> services =
      api_.Get(absl::StrCat(kServices, query_), Headers(), deadline);
  if (!services.ok()) return services.status();
  if (!services->is_object()) {
    return absl::UnavailableError("the answer is no list of Consul's services");
  }
  std::vector<Target> targets;
  for (const auto& [service, tags] : services->items()) {
    // Tags of all its instances: who has none of ours need not be asked for.
    if (!MarksOfTags(tags).Name(options_.app)) continue;
    const absl::Status status = AddTargets(service, deadline, targets);
    if (!status.ok()) return status;
  }
  left_out_.End();
  return EachOnce(std::move(targets));
}

absl::Status ConsulTargets::AddTargets(const std::string& service,
                                       const Deadline& deadline,
                                       std::vector<Target>& targets) {
  const absl::StatusOr<Json> instances =
      api_.Get(absl::StrCat(kService, fleet::Escaped(service), query_),
               Headers(), deadline);
  if (!instances.ok()) return instances.status();
  for (const Json& instance : *instances) {
    const Marks marks = MarksOfTags(ListAt(instance, {"ServiceTags"}));
    if (!marks.Name(options_.app)) continue;
    // A service without an address is at its node's.
    std::string host = TextAt(instance, {"ServiceAddress"});
    if (host.empty()) host = TextAt(instance, {"Address"});
    absl::StatusOr<Target> target =
        marks.TargetAt(host, NumberAt(instance, "ServicePort"), "");
    if (target.ok()) {
      targets.push_back(*std::move(target));
    } else {
      left_out_.Add(absl::StrCat("service ", service, " ",
                                 TextAt(instance, {"ServiceID"})),
                    target.status());
    }
  }
  return absl::OkStatus();
}

absl::Status ConsulTargets::Check() {
  return api_
      .Get(absl::StrCat(kServices, query_), Headers(), Deadline(kCheckTimeout))
      .status();
}

}  // namespace wallprof::pgo
