// Operations that make profiles from profiles. All are pure functions; inputs
// must pass CheckValid.
#ifndef WALLPROF_MERGE_H_
#define WALLPROF_MERGE_H_

#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "wallprof/profile.h"

namespace wallprof {

// Which time a reader wants to see.
enum class View {
  kWall,    // running or blocked
  kCpu,     // on a CPU
  kOffCpu,  // wall minus CPU
  // Waits for locks, by who waits and who holds; of another measurement than
  // the others, see CollectOptions::view.
  kBlockedBy,
};

// "wall", "cpu", "offcpu" or "blockedby"; nullopt for any other.
std::optional<View> ViewOfName(std::string_view name);
std::string_view NameOfView(View view);

// The sum of `profiles`, with pprof's semantics: sample types and period type
// must agree; time is the earliest, duration the sum, period the largest;
// samples with the same stack and labels are added, those that are zero
// throughout dropped; ids are renumbered in order of first use.
// InvalidArgument when there is nothing to merge or the types disagree.
absl::StatusOr<Profile> Merge(absl::Span<const Profile> profiles);

struct DiffOptions {
  // Scales `before` to `after`'s total of each type first, so that shares are
  // compared. (`go tool pprof -normalize` scales `after`.)
  bool normalize = false;

  // Labels the samples of `before` pprof::base=true, as `-diff_base` does.
  // Then the two sides stay apart: nothing cancels out, and formats that have
  // room for two numbers show both.
  bool label_base = false;
};

// `after` minus `before`: samples of `before` count negatively. Time and
// duration are `after`'s.
absl::StatusOr<Profile> Diff(const Profile& before, const Profile& after,
                             const DiffOptions& options = {});

// The same of one view of each, which may differ: one type, called e.g.
// "wall-cpu" for kCpu before and kWall after. InvalidArgument if a profile
// lacks its view, or units differ.
absl::StatusOr<Profile> DiffViews(const Profile& before, View before_view,
                                  const Profile& after, View after_view,
                                  const DiffOptions& options = {});

// A wall profile seen as `view`. kWall returns it unchanged. kCpu keeps the
// types samples and cpu (period type cpu/nanoseconds, default cpu) and only
// samples with CPU time. kOffCpu has samples and offcpu = wall - cpu, never
// below 0. A profile without a wall type can only be seen as kCpu, and one of
// waits for locks (type lockwait) only as kBlockedBy, which returns it
// unchanged; InvalidArgument otherwise.
absl::StatusOr<Profile> SelectView(const Profile& profile, View view);

}  // namespace wallprof

#endif  // WALLPROF_MERGE_H_
