#include "profiler/profile/labels.h"

#include <algorithm>
#include <tuple>

namespace wallprof {

bool LabelBefore(const Label& a, const Label& b) {
  bool a_is_number = a.text.empty();
  bool b_is_number = b.text.empty();
  return std::tie(a_is_number, a.key) < std::tie(b_is_number, b.key);
}

void SortLabels(std::vector<Label>& labels) {
  std::stable_sort(labels.begin(), labels.end(), LabelBefore);
}

bool IsOfBase(const Sample& sample) {
  return LabelText(sample, kBaseKey) == kBaseText;
}

bool IsDifference(const Profile& profile) {
  return std::any_of(profile.samples.begin(), profile.samples.end(), IsOfBase);
}

std::string_view LabelText(const Sample& sample, std::string_view key) {
  for (const Label& label : sample.labels) {
    if (label.key == key && !label.text.empty()) return label.text;
  }
  return {};
}

}  // namespace wallprof
