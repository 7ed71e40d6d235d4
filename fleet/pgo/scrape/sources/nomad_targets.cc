#include "fleet/pgo/scrape/sources/nomad_targets.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/scrape/sources/marks.h"
#include "fleet/pgo/scrape/sources/reaching.h"
#include "fleet/transfer/url.h"

namespace wallprof::pgo {
namespace {

constexpr char kDefaultAddress[] = "http://127.0.0.1:4646";
constexpr char kAllNamespaces[] = "*";

}  // namespace

absl::StatusOr<std::unique_ptr<NomadTargets>> NomadTargets::Create(
    SourceOptions options) {
  const std::string address = options.variable("NOMAD_ADDR");
  absl::StatusOr<Reaching> reaching =
      ReachingOf("NOMAD_ADDR", address.empty() ? kDefaultAddress : address,
                 {"NOMAD_CACERT", "NOMAD_CLIENT_CERT", "NOMAD_CLIENT_KEY"},
                 options.variable);
  if (!reaching.ok()) return reaching.status();
  return std::unique_ptr<NomadTargets>(
      new NomadTargets(std::move(reaching->url), std::move(reaching->transfer),
                       std::move(options)));
}

NomadTargets::NomadTargets(std::string url, fleet::TransferOptions transfer,
                           SourceOptions options)
    : options_(std::move(options)),
      api_(std::move(url), std::move(transfer), options_),
      left_out_(options_.warn) {
  const std::string token = options_.variable("NOMAD_TOKEN");
  if (!token.empty()) headers_["X-Nomad-Token"] = token;
}

// "/v1/services" or "/v1/service/<name>" of a namespace.
std::string NomadTargets::PathOf(const std::string& name,
                                 const std::string& namespace_name) const {
  const std::string region = options_.variable("NOMAD_REGION");
  return absl::StrCat("/v1/", name.empty() ? "services" : "service/",
                      fleet::Escaped(name),
                      "?namespace=", fleet::Escaped(namespace_name),
                      region.empty() ? "" : "&region=", fleet::Escaped(region));
}

absl::StatusOr<std::vector<Target>> NomadTargets::List() {
  std::lock_guard lock(listing_);
  const Deadline deadline(options_.list_timeout);
  const std::string wanted = options_.variable("NOMAD_NAMESPACE");
  const absl::StatusOr<Json> namespaces = api_.Get(
      PathOf("", wanted.empty() ? kAllNamespaces : wanted), headers_, deadline);
  if (!namespaces.ok()) return namespaces.status();
  if (!namespaces->is_array()) {
    return absl::UnavailableError("the answer is no list of Nomad's services");
  }
  std::vector<Target> targets;
  for (const Json& one : *namespaces) {
    for (const Json& service : ListAt(one, {"Services"})) {
      // Tags of all its instances: who has none of ours need not be asked for.
      if (!MarksOfTags(ListAt(service, {"Tags"})).Name(options_.app)) continue;
      const absl::Status status =
          AddTargets(TextAt(service, {"ServiceName"}),
                     TextAt(one, {"Namespace"}), deadline, targets);
      if (!status.ok()) return status;
    }
  }
  left_out_.End();
  return EachOnce(std::move(targets));
}

absl::Status NomadTargets::AddTargets(const std::string& service,
                                      const std::string& namespace_name,
                                      const Deadline& deadline,
                                      std::vector<Target>& targets) {
  const absl::StatusOr<Json> instances =
      api_.Get(PathOf(service, namespace_name), headers_, deadline);
  if (absl::IsNotFound(instances.status())) return absl::OkStatus();  // gone
  if (!instances.ok()) return instances.status();
  for (const Json& instance : *instances) {
    const Marks marks = MarksOfTags(ListAt(instance, {"Tags"}));
    if (!marks.Name(options_.app)) continue;
    absl::StatusOr<Target> target = marks.TargetAt(
        TextAt(instance, {"Address"}), NumberAt(instance, "Port"), "");
    if (target.ok()) {
      targets.push_back(*std::move(target));
    } else {
      left_out_.Add(absl::StrCat("service ", namespace_name, "/", service, " ",
                                 TextAt(instance, {"ID"})),
                    target.status());
    }
  }
  return absl::OkStatus();
}

absl::Status NomadTargets::Check() {
  return api_.Get("/v1/status/leader", headers_, Deadline(kCheckTimeout))
      .status();
}

}  // namespace wallprof::pgo
