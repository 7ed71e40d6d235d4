// The order of a sample's labels. It carries no meaning across keys, so that
// samples are compared and written with labels in one canonical order.
#ifndef WALLPROF_PROFILER_PROFILE_LABELS_H_
#define WALLPROF_PROFILER_PROFILE_LABELS_H_

#include <string_view>
#include <vector>

#include "wallprof/profile.h"

namespace wallprof {

// Strings come before numbers, each by key.
bool LabelBefore(const Label& a, const Label& b);

// Sorts by LabelBefore; values of one key keep their order.
void SortLabels(std::vector<Label>& labels);

// The label by which pprof knows the samples of a difference's base. Their
// values count negatively.
inline constexpr char kBaseKey[] = "pprof::base";
inline constexpr char kBaseText[] = "true";

bool IsOfBase(const Sample& sample);

// Whether any sample is: a profile whose two sides can be told apart.
bool IsDifference(const Profile& profile);

// Text of the first string label called `key`; empty if there is none.
std::string_view LabelText(const Sample& sample, std::string_view key);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_PROFILE_LABELS_H_
