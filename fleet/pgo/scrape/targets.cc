#include "fleet/pgo/scrape/targets.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fleet/transfer/url.h"

namespace wallprof::pgo {
namespace {

constexpr char kSeconds[] = "seconds";

auto PlaceOf(const Target& target) {
  return std::tie(target.address, target.path);
}

}  // namespace

absl::StatusOr<Target> MakeTarget(std::string address, std::string path,
                                  std::string version) {
  const auto wrong = [](const char* what, const std::string& text,
                        const absl::Status& status) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", what, " '", fleet::WithoutUser(text),
                     "' cannot be: ", absl::string_view(status.message())));
  };
  while (absl::EndsWith(address, "/")) address.pop_back();
  if (absl::Status s = fleet::CheckUrl(address); !s.ok()) {
    return wrong("address", address, s);
  }
  if (address.find_first_of("?#") != std::string::npos) {
    return wrong("address", address,
                 absl::InvalidArgumentError("a query belongs to the path"));
  }
  if (path.empty()) path = kDefaultTargetPath;
  if (path.front() != '/') path.insert(0, 1, '/');
  if (absl::Status s = fleet::CheckUrl(absl::StrCat(address, path)); !s.ok()) {
    return wrong("path", path, s);
  }
  return Target{std::move(address), std::move(path), std::move(version)};
}

std::string ProfileUrl(const Target& target, int64_t seconds) {
  return fleet::WithParameter(absl::StrCat(target.address, target.path),
                              kSeconds, absl::StrCat(seconds));
}

std::string ShownTarget(const Target& target) {
  return fleet::WithoutUser(absl::StrCat(target.address, target.path));
}

std::vector<Target> EachOnce(std::vector<Target> targets) {
  std::stable_sort(
      targets.begin(), targets.end(),
      [](const Target& a, const Target& b) { return PlaceOf(a) < PlaceOf(b); });
  targets.erase(std::unique(targets.begin(), targets.end(),
                            [](const Target& a, const Target& b) {
                              return PlaceOf(a) == PlaceOf(b);
                            }),
                targets.end());
  return targets;
}

}  // namespace wallprof::pgo
