// Which series a query is about:
//
//   service="shop",type="wall",host=~"db.*",zone!="eu-1",rack!~"a|b"
//
// Braces around it are allowed, as Prometheus' users write them. `service` and
// `type` are matched like labels. A label that a series does not have matches
// as an empty one; of several with one key, one has to match.
#ifndef WALLPROF_FLEET_STORE_SELECTOR_H_
#define WALLPROF_FLEET_STORE_SELECTOR_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fleet/store/profile_info.h"

namespace re2 {
class RE2;
}

namespace wallprof::store {

struct Matcher {
  enum class Operator { kEqual, kNotEqual, kMatches, kNotMatches };

  std::string name;
  Operator op = Operator::kEqual;
  std::string value;
  // Of kMatches and kNotMatches, anchored at both ends.
  std::shared_ptr<const re2::RE2> pattern;
};

class Selector {
 public:
  // Matches everything.
  Selector() = default;

  // InvalidArgument that names the place, also for a pattern that RE2 refuses
  // or that would take too much memory. Empty text matches everything.
  static absl::StatusOr<Selector> Parse(std::string_view text);

  // Narrows to series where `name` is `value`.
  void Require(std::string_view name, std::string_view value);

  bool Matches(const Series& series) const;

  // The one value that `name` has to have, if it does: what an index looks up.
  std::optional<std::string> ValueOf(std::string_view name) const;

  const std::vector<Matcher>& matchers() const { return matchers_; }

 private:
  std::vector<Matcher> matchers_;
};

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_SELECTOR_H_
