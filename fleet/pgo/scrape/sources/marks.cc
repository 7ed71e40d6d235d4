#include "fleet/pgo/scrape/sources/marks.h"

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace wallprof::pgo {
namespace {

constexpr int64_t kMaxPort = 65535;

bool IsMark(const std::string& name) {
  for (const char* prefix : kMarkPrefixes) {
    if (name == prefix || absl::StartsWith(name, absl::StrCat(prefix, "."))) {
      return true;
    }
  }
  return false;
}

absl::Status Wrong(const std::string& what, const std::string& value,
                   const char* why) {
  return absl::InvalidArgumentError(
      absl::StrCat("its ", what, " '", value, "' is ", why));
}

}  // namespace

void Marks::Add(const std::string& name, const std::string& value) {
  if (IsMark(name)) values_[name] = value;
}

void Marks::AddTag(const std::string& tag) {
  const size_t equals = tag.find('=');
  if (equals != std::string::npos) {
    Add(tag.substr(0, equals), tag.substr(equals + 1));
  }
}

bool Marks::Name(const std::string& app) const {
  for (const char* prefix : kMarkPrefixes) {
    const auto wants = values_.find(prefix);
    const auto named = values_.find(absl::StrCat(prefix, ".app"));
    if (wants != values_.end() && named != values_.end() &&
        wants->second == "true" && named->second == app) {
      return true;
    }
  }
  return false;
}

std::string Marks::Get(const std::string& name) const {
  for (const char* prefix : kMarkPrefixes) {
    const auto found = values_.find(absl::StrCat(prefix, ".", name));
    if (found != values_.end()) return found->second;
  }
  return "";
}

absl::StatusOr<Target> Marks::TargetAt(
    const std::string& host, int64_t port,
    const std::string& default_version) const {
  const std::string scheme = Get("scheme");
  if (!scheme.empty() && scheme != "http" && scheme != "https") {
    return Wrong("scheme", scheme, "neither http nor https");
  }
  if (host.empty()) return absl::InvalidArgumentError("it has no address");
  if (port < 1 || port > kMaxPort) {
    return Wrong("port", absl::StrCat(port), "none from 1 to 65535");
  }
  const bool is_ipv6 = absl::StrContains(host, ':');
  const std::string version = Get("version");
  return MakeTarget(
      absl::StrCat(scheme.empty() ? "http" : scheme, "://", is_ipv6 ? "[" : "",
                   host, is_ipv6 ? "]" : "", ":", port),
      Get("path"), version.empty() ? default_version : version);
}

Marks MarksOfTags(const nlohmann::json& tags) {
  Marks marks;
  for (const auto& tag : tags) {
    if (tag.is_string()) marks.AddTag(tag.get<std::string>());
  }
  return marks;
}

}  // namespace wallprof::pgo
