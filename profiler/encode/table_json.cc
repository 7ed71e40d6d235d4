// The table of functions for programs: what `wallprof top` shows to people,
// for every sample type at once. docs/formats.md states the form.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "profiler/encode/json.h"
#include "profiler/profile/sample_types.h"
#include "profiler/profile/top_functions.h"
#include "profiler/profile/totals.h"
#include "profiler/profile/view.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

struct Row {
  std::string name;
  std::vector<int64_t> flat;  // by sample type
  std::vector<int64_t> cum;
};

// In order of the default type; functions that only other types know follow.
std::vector<Row> RowsOf(const Profile& profile) {
  size_t types = profile.sample_types.size();
  std::vector<size_t> order(types);
  for (size_t i = 0; i < types; ++i) order[i] = i;
  if (types > 0) std::swap(order[0], order[DefaultSampleTypeIndex(profile)]);

  std::vector<Row> rows;
  absl::flat_hash_map<std::string, size_t> places;
  for (size_t i : order) {
    ViewColumn column{profile.sample_types[i], static_cast<int>(i)};
    for (const FunctionWeight& f :
         ComputeTopFunctions(profile, column).functions) {
      auto [known, is_new] = places.try_emplace(f.name, rows.size());
      if (is_new) {
        rows.push_back(
            {f.name, std::vector<int64_t>(types), std::vector<int64_t>(types)});
      }
      rows[known->second].flat[i] = f.self;
      rows[known->second].cum[i] = f.total;
    }
  }
  return rows;
}

}  // namespace

std::string EncodeJson(const Profile& profile) {
  Json types = Json::array();
  for (const ValueType& type : profile.sample_types) {
    types.push_back({{"type", type.type}, {"unit", type.unit}});
  }
  int index = DefaultSampleTypeIndex(profile);
  Json functions = Json::array();
  for (Row& row : RowsOf(profile)) {
    functions.push_back({{"name", std::move(row.name)},
                         {"flat", std::move(row.flat)},
                         {"cum", std::move(row.cum)}});
  }
  return JsonText(
      {{"types", std::move(types)},
       {"default", index < 0 ? "" : profile.sample_types[index].type},
       {"time_ns", absl::ToUnixNanos(profile.time)},
       {"duration_ns", absl::ToInt64Nanoseconds(profile.duration)},
       {"totals", TotalsOf(profile)},
       {"functions", std::move(functions)}});
}

}  // namespace wallprof
