// Which code is of no interest for a build: a JSON file,
//
//   [{"app": "shop", "rules": [{"drop": "github.com/x/.*", "keep": "x/hot"}]}]
#ifndef WALLPROF_FLEET_PGO_PROFILE_PRUNE_RULES_H_
#define WALLPROF_FLEET_PGO_PROFILE_PRUNE_RULES_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "wallprof/profile.h"

namespace wallprof::pgo {

// Cheap to copy; never changes.
class PruneRules {
 public:
  // None.
  PruneRules();

  // Of a file's text; comments are allowed. InvalidArgument naming `path`, the
  // entry, and what is wrong: no JSON, a rule without "drop", a pattern that
  // RE2 cannot read, an unknown member, an app that is there twice.
  static absl::StatusOr<PruneRules> Parse(std::string_view text,
                                          std::string_view path);

  bool HasRulesFor(std::string_view app) const;

  // Applies the rules of `app` one after the other, with the semantics of
  // pprof's Prune; unanchored. What no sample needs any more is gone.
  absl::StatusOr<Profile> Apply(std::string_view app, Profile profile) const;

  // The same, but samples stay one by one in their places, only shorter, and
  // locations too. The profile must pass CheckValid.
  void CutStacks(std::string_view app, Profile& profile) const;

 private:
  struct Apps;
  std::shared_ptr<const Apps> apps_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_PRUNE_RULES_H_
