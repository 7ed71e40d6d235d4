#include "fleet/pgo/scrape/sources/kubeconfig.h"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "fleet/files/files.h"
#include "fleet/transfer/url.h"

namespace wallprof::pgo {
namespace {

// What is not supported, and what to do instead.
struct Unsupported {
  const char* name;
  const char* instead;
};

constexpr char kOtherCredentials[] =
    "give a token, a tokenFile or a client "
    "certificate";

constexpr Unsupported kOfUsers[] = {
    {"exec", kOtherCredentials},         {"auth-provider", kOtherCredentials},
    {"username", kOtherCredentials},     {"password", kOtherCredentials},
    {"as", "give the user's own"},       {"as-uid", "give the user's own"},
    {"as-groups", "give the user's own"}};

constexpr Unsupported kOfClusters[] = {
    {"insecure-skip-tls-verify", "give a certificate-authority"},
    {"tls-server-name", "give the name in server"},
    {"proxy-url", "set the variable https_proxy"}};

absl::Status Wrong(const std::string& what) {
  return absl::InvalidArgumentError(what);
}

std::string TextAt(const YAML::Node& node, const std::string& name) {
  return node[name].as<std::string>("");
}

absl::Status Take(absl::StatusOr<std::string> text, std::string& into) {
  if (text.ok()) into = *std::move(text);
  return text.status();
}

// The entry of `list` that is called `name`, and in it what is called `what`.
absl::StatusOr<YAML::Node> FindNamed(const YAML::Node& config, const char* list,
                                     const char* what,
                                     const std::string& name) {
  for (const YAML::Node& entry : config[list]) {
    const YAML::Node found = entry[what];
    if (TextAt(entry, "name") == name && found && found.IsMap()) return found;
  }
  return Wrong(absl::StrCat("there is no ", what, " '", name, "' in ", list));
}

template <size_t kCount>
absl::Status CheckSupported(const YAML::Node& node, const std::string& who,
                            const Unsupported (&unsupported)[kCount]) {
  for (const Unsupported& one : unsupported) {
    const YAML::Node found = node[one.name];
    if (!found || found.IsNull() || found.as<std::string>("") == "false") {
      continue;
    }
    return Wrong(absl::StrCat(who, " has ", one.name,
                              ", which is not supported; ", one.instead));
  }
  return absl::OkStatus();
}

// The value of `name`-data, decoded, or the file that `name` is; empty where
// neither is there.
absl::StatusOr<std::string> DataOf(const YAML::Node& node,
                                   const std::string& name,
                                   const std::filesystem::path& directory) {
  const std::string data = TextAt(node, name + "-data");
  if (!data.empty()) {
    std::string decoded;
    if (absl::Base64Unescape(data, &decoded)) return decoded;
    return Wrong(absl::StrCat(name, "-data is not in base64"));
  }
  const std::string file = TextAt(node, name);
  if (file.empty()) return "";
  return fleet::ReadWhole((directory / file).string());
}

absl::StatusOr<std::string> TokenOf(const YAML::Node& user,
                                    const std::filesystem::path& directory) {
  const std::string file = TextAt(user, "tokenFile");
  if (file.empty()) return TextAt(user, "token");
  absl::StatusOr<std::string> token =
      fleet::ReadWhole((directory / file).string());
  if (token.ok()) absl::StripAsciiWhitespace(&*token);
  return token;
}

absl::Status TakeCluster(const YAML::Node& config, const std::string& name,
                         const std::filesystem::path& directory,
                         ClusterAccess& access) {
  const auto cluster = FindNamed(config, "clusters", "cluster", name);
  if (!cluster.ok()) return cluster.status();
  absl::Status status = CheckSupported(
      *cluster, absl::StrCat("the cluster '", name, "'"), kOfClusters);
  if (!status.ok()) return status;
  access.server = TextAt(*cluster, "server");
  while (absl::EndsWith(access.server, "/")) access.server.pop_back();
  if (status = fleet::CheckUrl(access.server); !status.ok()) {
    return Wrong(absl::StrCat("the server '", access.server, "' cannot be: ",
                              absl::string_view(status.message())));
  }
  return Take(DataOf(*cluster, "certificate-authority", directory),
              access.certificates);
}

absl::Status TakeUser(const YAML::Node& config, const std::string& name,
                      const std::filesystem::path& directory,
                      ClusterAccess& access) {
  const auto user = FindNamed(config, "users", "user", name);
  if (!user.ok()) return user.status();
  absl::Status status =
      CheckSupported(*user, absl::StrCat("the user '", name, "'"), kOfUsers);
  status.Update(Take(DataOf(*user, "client-certificate", directory),
                     access.client_certificate));
  status.Update(
      Take(DataOf(*user, "client-key", directory), access.client_key));
  status.Update(Take(TokenOf(*user, directory), access.token));
  return status;
}

absl::StatusOr<ClusterAccess> AccessOf(const YAML::Node& config,
                                       const std::filesystem::path& directory) {
  if (!config.IsMap()) return Wrong("it is no kubeconfig");
  const std::string current = TextAt(config, "current-context");
  if (current.empty()) return Wrong("there is no current-context");
  const auto context = FindNamed(config, "contexts", "context", current);
  if (!context.ok()) return context.status();
  ClusterAccess access;
  absl::Status status =
      TakeCluster(config, TextAt(*context, "cluster"), directory, access);
  const std::string user = TextAt(*context, "user");
  if (status.ok() && !user.empty()) {
    status = TakeUser(config, user, directory, access);
  }
  if (!status.ok()) return status;
  return access;
}

}  // namespace

absl::StatusOr<ClusterAccess> ReadKubeconfig(const std::string& path) {
  const absl::StatusOr<std::string> text = fleet::ReadWhole(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<ClusterAccess> access;
  try {
    access =
        AccessOf(YAML::Load(*text), std::filesystem::path(path).parent_path());
  } catch (const YAML::Exception& error) {
    access = Wrong(std::string(absl::StripPrefix(error.what(), "yaml-cpp: ")));
  }
  if (access.ok()) return access;
  return absl::Status(
      access.status().code(),
      absl::StrCat(path, ": ", absl::string_view(access.status().message())));
}

absl::StatusOr<ClusterAccess> ReadServiceAccount(
    const std::function<std::string(const char*)>& variable,
    const std::string& directory) {
  const std::string host = variable("KUBERNETES_SERVICE_HOST");
  const std::string port = variable("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) {
    return absl::FailedPreconditionError(
        "this is no pod of a cluster: KUBERNETES_SERVICE_HOST and "
        "KUBERNETES_SERVICE_PORT are not set; outside of one give a "
        "kubeconfig");
  }
  const bool is_ipv6 = absl::StrContains(host, ':');
  ClusterAccess access;
  access.server = absl::StrCat("https://", is_ipv6 ? "[" : "", host,
                               is_ipv6 ? "]" : "", ":", port);
  for (const auto& [name, into] : {std::pair{"token", &access.token},
                                   std::pair{"ca.crt", &access.certificates}}) {
    absl::StatusOr<std::string> text =
        fleet::ReadWhole(absl::StrCat(directory, "/", name));
    if (!text.ok()) return text.status();
    *into = *std::move(text);
  }
  absl::StripAsciiWhitespace(&access.token);
  return access;
}

}  // namespace wallprof::pgo
