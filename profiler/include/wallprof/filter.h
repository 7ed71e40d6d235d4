// Parts of profiles: by the names of frames and by labels, with the meaning of
// the options of `go tool pprof` that have the same names. docs/formats.md says
// where it differs.
//
//   wallprof::Filters filters;
//   filters.focus = [](std::string_view name) { return name == "Serve"; };
//   absl::StatusOr<wallprof::Profile> part = wallprof::Filter(profile,
//   filters);
//
// What a name has to be is for the caller to say, with whatever regular
// expressions it likes. All functions are pure; inputs must pass CheckValid.
#ifndef WALLPROF_FILTER_H_
#define WALLPROF_FILTER_H_

#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "wallprof/profile.h"

namespace wallprof {

// Asked once of each function's name, source file and mapped file. A frame
// matches by any of the three.
using NameMatch = std::function<bool(std::string_view)>;

using SampleMatch = std::function<bool(const Sample&)>;

// Applied in this order. An empty one filters nothing.
struct Filters {
  NameMatch focus;      // keeps samples that have a matching frame
  NameMatch ignore;     // drops samples that have one
  NameMatch hide;       // drops matching frames
  NameMatch show;       // keeps only matching frames
  NameMatch show_from;  // drops the callers of the outermost matching frame
  SampleMatch tag_focus;
  SampleMatch tag_ignore;
  NameMatch prune_from;  // see PruneFrom
};

// The part of `profile` that passes. Samples whose frames have all been dropped
// are dropped too. Locations and functions that nothing leads to any more go.
// Without any filter it is `profile` as it was.
absl::StatusOr<Profile> Filter(const Profile& profile, const Filters& filters);

// Removes what a reader need not see of libraries' insides: in each sample, the
// outermost frame below one that stays whose function `drop` matches and `keep`
// does not, and everything that it calls. Functions are matched by their name
// without parameters. An empty `keep` matches nothing.
absl::StatusOr<Profile> Prune(const Profile& profile, const NameMatch& drop,
                              const NameMatch& keep);

// Removes everything below the innermost frame that matches, by name without
// parameters; that frame stays.
absl::StatusOr<Profile> PruneFrom(const Profile& profile,
                                  const NameMatch& match);

// Every value times its type's ratio, rounded half away from zero; samples that
// become zero throughout are dropped. InvalidArgument unless there is a finite
// ratio for each type.
absl::StatusOr<Profile> Scale(const Profile& profile,
                              absl::Span<const double> ratios);

// `profile` scaled to the totals that `to` has of each type; a type that is
// zero throughout stays so. InvalidArgument if the types differ.
absl::StatusOr<Profile> Normalize(const Profile& profile, const Profile& to);

// The labels that say what a sample waits for (CollectOptions::detail).
inline constexpr std::string_view kWaitLabels[] = {"wait_kind", "wait_object"};

// `profile`, in which each sample that has text labels of `keys` has them as
// its innermost frame, "[socket tcp 127.0.0.1:80]": for formats that show no
// labels.
Profile WithLabelFrames(Profile profile,
                        absl::Span<const std::string_view> keys);

}  // namespace wallprof

#endif  // WALLPROF_FILTER_H_
