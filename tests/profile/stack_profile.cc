#include "tests/profile/stack_profile.h"

#include <map>

namespace wallprof {

Profile ProfileOfStacks(const std::vector<ValueType>& types,
                        const std::vector<TestStack>& stacks) {
  Profile profile;
  profile.sample_types = types;
  if (!types.empty()) {
    profile.default_sample_type = types.back().type;
    profile.period_type = types.back();
  }
  std::map<std::string, uint64_t> ids;
  for (const TestStack& stack : stacks) {
    Sample sample;
    sample.values = stack.values;
    sample.labels = stack.labels;
    for (const std::string& frame : stack.frames) {
      auto [known, is_new] = ids.try_emplace(frame, ids.size() + 1);
      uint64_t id = known->second;
      if (is_new) {
        profile.functions.push_back({id, frame, frame, "", 0});
        profile.locations.push_back({id, 0, 0, {{id, 0, 0}}, false});
      }
      sample.location_ids.insert(sample.location_ids.begin(), id);
    }
    profile.samples.push_back(sample);
  }
  return profile;
}

Profile WallProfile(const std::vector<TestStack>& stacks) {
  return ProfileOfStacks(
      {{"samples", "count"}, {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}},
      stacks);
}

Profile FullProfile() {
  Profile profile;
  profile.sample_types = {
      {"samples", "count"}, {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}};
  profile.default_sample_type = "wall";
  profile.mappings = {{1, 0x400000, 0x500000, 0x1000, "/bin/demo", "abc123",
                       true, true, true, true},
                      {2, 0x7f0000000000, 0x7f0000200000, 0x26000,
                       "/lib/libc.so.6", "def456", true, false, false, false}};
  profile.functions = {{1, "main", "main", "/src/main.cc", 10},
                       {2, "Wait(int)", "_Z4Waiti", "/src/wait.h", 20},
                       {3, "recv", "__recv", "", 0}};
  profile.locations = {{1, 1, 0x401234, {{2, 25, 7}, {1, 12, 3}}, false},
                       {2, 2, 0x7f0000000abc, {{3, 0, 0}}, true},
                       {3, 1, 0x404321, {}, false}};
  profile.samples = {
      {{2, 1}, {5, 0, 50000000}, {{"state", "blocked"}, {"tid", "", 71}}},
      {{3, 1},
       {4, 40000000, 41000000},
       {{"thread", "worker"}, {"bytes", "", -8, "kilobytes"}}}};
  profile.drop_frames = "std::.*";
  profile.keep_frames = "std::thread.*";
  profile.time = absl::FromUnixNanos(1'700'000'000'123'456'789);
  profile.duration = absl::Nanoseconds(2'000'000'001);
  profile.period_type = {"wall", "nanoseconds"};
  profile.period = 10101010;
  profile.comments = {"pid 71", "lost: none"};
  profile.doc_url = "https://example.org/wallprof";
  return profile;
}

}  // namespace wallprof
