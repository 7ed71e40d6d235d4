#include "fleet/pgo/scrape/sources/kubernetes_targets.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fleet/pgo/scrape/sources/marks.h"
#include "fleet/transfer/url.h"

namespace wallprof::pgo {
namespace {

constexpr int kPageSize = 500;

// Pages of a list that was begun too long ago cannot be had any more; once more
// from the start is quick.
constexpr int kMaxListings = 2;

// As many as Kubernetes has pods where it is largest. What never ends is no
// list.
constexpr size_t kMaxTargets = 150'000;

std::string PodsPath(const SourceOptions& options, const std::string& prefix,
                     int limit) {
  return absl::StrCat("/api/v1/pods?labelSelector=",
                      fleet::Escaped(absl::StrCat(prefix, "=true,", prefix,
                                                  ".app=", options.app)),
                      "&fieldSelector=", fleet::Escaped("status.phase=Running"),
                      "&limit=", limit);
}

std::map<std::string, std::string> HeadersOf(const ClusterAccess& access) {
  if (access.token.empty()) return {};
  return {{"Authorization", absl::StrCat("Bearer ", access.token)}};
}

bool IsReachedAlike(const ClusterAccess& a, const ClusterAccess& b) {
  return a.server == b.server && a.certificates == b.certificates &&
         a.client_certificate == b.client_certificate &&
         a.client_key == b.client_key;
}

Marks MarksOf(const Json& pod) {
  Marks marks;
  for (const char* where : {"labels", "annotations"}) {
    for (const auto& [name, value] : ListAt(pod, {"metadata", where}).items()) {
      if (value.is_string()) marks.Add(name, value.get<std::string>());
    }
  }
  return marks;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KubernetesTargets>> KubernetesTargets::Create(
    std::function<absl::StatusOr<ClusterAccess>()> read_access,
    SourceOptions options) {
  std::unique_ptr<KubernetesTargets> source(
      new KubernetesTargets(std::move(read_access), std::move(options)));
  const auto connection = source->Connect();
  if (!connection.ok()) return connection.status();
  return source;
}

KubernetesTargets::KubernetesTargets(
    std::function<absl::StatusOr<ClusterAccess>()> read_access,
    SourceOptions options)
    : read_access_(std::move(read_access)),
      options_(std::move(options)),
      left_out_(options_.warn) {}

absl::StatusOr<KubernetesTargets::Connection> KubernetesTargets::Connect() {
  absl::StatusOr<ClusterAccess> access = read_access_();
  if (!access.ok()) return access.status();
  std::lock_guard lock(mutex_);
  if (last_.api == nullptr || !IsReachedAlike(last_.access, *access)) {
    fleet::TransferOptions transfer;
    transfer.certificates = access->certificates;
    transfer.client_certificate = access->client_certificate;
    transfer.client_key = access->client_key;
    last_.api = std::make_shared<JsonApi>(access->server, std::move(transfer),
                                          options_);
  }
  last_.access = *std::move(access);
  return last_;
}

absl::StatusOr<std::vector<Target>> KubernetesTargets::List() {
  std::lock_guard lock(listing_);
  absl::StatusOr<Connection> connection = Connect();
  if (!connection.ok()) return connection.status();
  const Deadline deadline(options_.list_timeout);
  std::vector<Target> targets;
  for (const char* prefix : kMarkPrefixes) {
    std::vector<Target> found;
    absl::Status status;
    for (int listings = 0; listings < kMaxListings; ++listings) {
      found.clear();
      status = ListPods(*connection, prefix, deadline, found);
      if (!absl::IsOutOfRange(status)) break;
    }
    if (!status.ok()) return status;
    targets.insert(targets.end(), std::make_move_iterator(found.begin()),
                   std::make_move_iterator(found.end()));
  }
  left_out_.End();
  return EachOnce(std::move(targets));
}

absl::Status KubernetesTargets::ListPods(Connection& connection,
                                         const std::string& prefix,
                                         const Deadline& deadline,
                                         std::vector<Target>& targets) {
  std::string next;
  do {
    std::string path = PodsPath(options_, prefix, kPageSize);
    if (!next.empty()) {
      absl::StrAppend(&path, "&continue=", fleet::Escaped(next));
    }
    absl::StatusOr<Json> page =
        connection.api->Get(path, HeadersOf(connection.access), deadline);
    if (!page.ok()) return page.status();
    if (!page->contains("items")) {
      return absl::UnavailableError(absl::StrCat(
          connection.access.server, ": the answer is no list of pods"));
    }
    for (const Json& pod : ListAt(*page, {"items"})) AddTarget(pod, targets);
    if (targets.size() > kMaxTargets) {
      return absl::UnavailableError(absl::StrCat(connection.access.server,
                                                 ": there are more than ",
                                                 kMaxTargets, " such pods"));
    }
    next = TextAt(*page, {"metadata", "continue"});
  } while (!next.empty());
  return absl::OkStatus();
}

void KubernetesTargets::AddTarget(const Json& pod,
                                  std::vector<Target>& targets) {
  const Marks marks = MarksOf(pod);
  const std::string ip = TextAt(pod, {"status", "podIP"});
  // One that is being deleted still runs, but not for as long as a profile.
  const bool is_ending =
      !TextAt(pod, {"metadata", "deletionTimestamp"}).empty();
  if (!marks.Name(options_.app) || ip.empty() || is_ending ||
      TextAt(pod, {"status", "phase"}) != "Running") {
    return;
  }
  const auto leave_out = [&](const absl::Status& why) {
    left_out_.Add(absl::StrCat("pod ", TextAt(pod, {"metadata", "namespace"}),
                               "/", TextAt(pod, {"metadata", "name"})),
                  why);
  };
  const std::string port_text = marks.Get("port");
  int64_t port = 0;
  if (port_text.empty()) {
    return leave_out(
        absl::InvalidArgumentError("it has no annotation autopgo.scrape.port"));
  }
  if (!absl::SimpleAtoi(port_text, &port)) {
    return leave_out(absl::InvalidArgumentError(
        absl::StrCat("its port '", port_text, "' is no number")));
  }
  absl::StatusOr<Target> target = marks.TargetAt(
      ip, port,
      TextAt(pod, {"metadata", "labels", "app.kubernetes.io/version"}));
  if (!target.ok()) return leave_out(target.status());
  targets.push_back(*std::move(target));
}

absl::Status KubernetesTargets::Check() {
  absl::StatusOr<Connection> connection = Connect();
  if (!connection.ok()) return connection.status();
  return connection->api
      ->Get(PodsPath(options_, kMarkPrefixes[0], 1),
            HeadersOf(connection->access), Deadline(kCheckTimeout))
      .status();
}

}  // namespace wallprof::pgo
