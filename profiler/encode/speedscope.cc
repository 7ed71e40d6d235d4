// speedscope's file format: a profile for each thread, of stacks with weights.
// https://www.speedscope.app/file-format-schema.json is its schema.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "profiler/encode/json.h"
#include "profiler/profile/frames.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/saturating.h"
#include "profiler/profile/time_slices.h"
#include "profiler/profile/view.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

constexpr char kSchema[] = "https://www.speedscope.app/file-format-schema.json";

// The units that it knows; weights of any other are plain numbers to it.
constexpr std::string_view kUnits[] = {"nanoseconds", "microseconds",
                                       "milliseconds", "seconds", "bytes"};

// What becomes a profile of its own: speedscope shows one at a time, and has no
// negative weights.
struct Part {
  bool before = false;  // of a difference
  std::string thread;
  int64_t tid = 0;

  friend bool operator<(const Part& a, const Part& b) {
    return std::tie(a.before, a.thread, a.tid) <
           std::tie(b.before, b.thread, b.tid);
  }
};

struct Stacks {
  std::vector<std::vector<uint32_t>> stacks;  // root first
  std::vector<int64_t> weights;
  int64_t end = 0;  // the sum of the weights

  void Add(std::vector<uint32_t> stack, int64_t weight) {
    stacks.push_back(std::move(stack));
    weights.push_back(weight);
    end = SaturatingAdd(end, weight);
  }
};

Part PartOf(const Sample& sample, int64_t weight) {
  Part part;
  part.before = weight < 0;
  part.thread = std::string(LabelText(sample, "thread"));
  for (const Label& label : sample.labels) {
    if (label.key == "tid" && label.text.empty()) part.tid = label.number;
  }
  return part;
}

std::string UnitOf(const ValueType& type) {
  for (std::string_view unit : kUnits) {
    if (type.unit == unit) return type.unit;
  }
  return "none";
}

// "worker (71)", "before: worker (71)"; "all threads" without the labels.
std::string NameOf(const Part& part, bool is_difference) {
  std::string name = part.thread.empty() ? "all threads" : part.thread;
  if (part.tid != 0) absl::StrAppend(&name, " (", part.tid, ")");
  if (!is_difference) return name;
  return absl::StrCat(part.before ? "before: " : "after: ", name);
}

Json ProfileJson(const std::string& name, const std::string& unit,
                 Stacks stacks) {
  return {{"type", "sampled"},
          {"name", name},
          {"unit", unit},
          {"startValue", 0},
          {"endValue", stacks.end},
          {"samples", std::move(stacks.stacks)},
          {"weights", std::move(stacks.weights)}};
}

// The samples in the order of their slices, which is that of time.
std::vector<const Sample*> InTime(const Profile& profile) {
  std::vector<std::pair<TimeSlice, const Sample*>> ordered;
  for (const Sample& sample : profile.samples) {
    ordered.emplace_back(SliceOf(profile, sample), &sample);
  }
  std::stable_sort(
      ordered.begin(), ordered.end(),
      [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const Sample*> samples;
  for (const auto& [slice, sample] : ordered) samples.push_back(sample);
  return samples;
}

}  // namespace

std::string EncodeSpeedscope(const Profile& profile, View view) {
  ViewColumn column = ColumnOrDefault(profile, view);
  Frames frames(profile);
  std::map<Part, Stacks> parts;
  bool is_difference = false;
  for (const Sample* sample : InTime(profile)) {
    int64_t weight = column.Of(*sample);
    if (weight == 0) continue;
    Part part = PartOf(*sample, weight);
    is_difference = is_difference || part.before;
    Stacks& stacks = parts[std::move(part)];
    // Nothing is shown of a thread before it was there.
    const int64_t start = SliceOf(profile, *sample).start_ns;
    if (column.type.type == "wall" && start > stacks.end) {
      stacks.Add({}, start - stacks.end);
    }
    std::vector<uint32_t> stack;
    frames.AppendStack(*sample, stack);
    stacks.Add(std::move(stack),
               weight < 0 ? SaturatingSubtract(0, weight) : weight);
  }
  Json frame_list = Json::array();
  for (const std::string& name : frames.names().names()) {
    frame_list.push_back({{"name", name}});
  }
  Json profiles = Json::array();
  for (auto& [part, stacks] : parts) {
    profiles.push_back(ProfileJson(NameOf(part, is_difference),
                                   UnitOf(column.type), std::move(stacks)));
  }
  // It opens no file without a profile.
  if (profiles.empty()) {
    profiles.push_back(ProfileJson("all threads", UnitOf(column.type), {}));
  }
  return JsonText({{"$schema", kSchema},
                   {"shared", {{"frames", std::move(frame_list)}}},
                   {"profiles", std::move(profiles)},
                   {"name", column.type.type},
                   {"activeProfileIndex", 0},
                   {"exporter", "wallprof"}});
}

}  // namespace wallprof
