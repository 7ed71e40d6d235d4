#include "profiler/profile/sample_types.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace wallprof {

int SampleTypeIndex(const Profile& profile, std::string_view type) {
  for (size_t i = 0; i < profile.sample_types.size(); ++i) {
    if (profile.sample_types[i].type == type) return static_cast<int>(i);
  }
  return -1;
}

int DefaultSampleTypeIndex(const Profile& profile) {
  int index = SampleTypeIndex(profile, profile.default_sample_type);
  return index >= 0 ? index : static_cast<int>(profile.sample_types.size()) - 1;
}

std::string ToString(const ValueType& type) {
  return absl::StrCat(type.type, "/", type.unit);
}

std::string ToString(const std::vector<ValueType>& types) {
  return absl::StrCat(
      "[",
      absl::StrJoin(types, " ",
                    [](std::string* out, const ValueType& type) {
                      absl::StrAppend(out, ToString(type));
                    }),
      "]");
}

}  // namespace wallprof
