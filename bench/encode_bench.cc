// What it costs to turn profiles into bytes and back, and to merge them. The
// budget is a second for 50 000 stacks, gzip included.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"
#include "wallprof/profile.h"

namespace wallprof {
namespace {

constexpr int kDepth = 45;          // frames a stack
constexpr int kLocations = 20'000;  // distinct ones, a function each
constexpr int kRoots = 8;           // outermost frames that all stacks share

// A service's profile: stacks part from common roots into many places.
Profile ServiceProfile(int stacks) {
  std::mt19937 random(1);  // the same profile each time
  Profile profile;
  profile.sample_types = {
      {"samples", "count"}, {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}};
  profile.default_sample_type = "wall";
  profile.period_type = {"wall", "nanoseconds"};
  profile.mappings = {{1, 0x400000, 0x4400000, 0, "/bin/service", "abc123"}};
  for (uint64_t id = 1; id <= kLocations; ++id) {
    std::string name = absl::StrCat("service::Component", id % 500, "::Method",
                                    id, "(std::string const&)");
    profile.functions.push_back(
        {id, name, absl::StrCat("_ZN7service", id), "service.cc", 1});
    profile.locations.push_back(
        {id, 1, 0x400000 + id * 64, {{id, 1, 0}}, false});
  }
  for (int i = 0; i < stacks; ++i) {
    Sample sample;
    for (int depth = kDepth; depth > kRoots; --depth) {
      sample.location_ids.push_back(1 + random() % kLocations);
    }
    for (int root = kRoots; root > 0; --root) {
      sample.location_ids.push_back(root);
    }
    sample.values = {1, static_cast<int64_t>(random() % 10'000'000),
                     static_cast<int64_t>(random() % 100'000'000)};
    sample.labels = {{"thread", absl::StrCat("worker-", i % 100)},
                     {"state", "blocked"},
                     {"tid", "", 1000 + i % 100}};
    profile.samples.push_back(std::move(sample));
  }
  return profile;
}

void BM_EncodePprof(benchmark::State& state) {
  Profile profile = ServiceProfile(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    std::string bytes = EncodePprof(profile);
    state.counters["bytes"] = static_cast<double>(bytes.size());
  }
}

void BM_DecodePprof(benchmark::State& state) {
  std::string bytes =
      EncodePprof(ServiceProfile(static_cast<int>(state.range(0))));
  for (auto _ : state) {
    absl::StatusOr<Profile> profile = DecodePprof(bytes);
    if (!profile.ok()) state.SkipWithError("the profile was refused");
  }
}

void BM_EncodeFolded(benchmark::State& state) {
  Profile profile = ServiceProfile(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    std::string bytes = EncodeFolded(profile);
    state.counters["bytes"] = static_cast<double>(bytes.size());
  }
}

void BM_DecodeFolded(benchmark::State& state) {
  std::string bytes =
      EncodeFolded(ServiceProfile(static_cast<int>(state.range(0))));
  for (auto _ : state) {
    absl::StatusOr<Profile> profile = DecodeFolded(bytes);
    if (!profile.ok()) state.SkipWithError("the stacks were refused");
  }
}

void BM_MergeTwo(benchmark::State& state) {
  std::vector<Profile> profiles(
      2, ServiceProfile(static_cast<int>(state.range(0))));
  for (auto _ : state) {
    absl::StatusOr<Profile> merged = Merge(profiles);
    if (!merged.ok()) state.SkipWithError("the profiles were refused");
  }
}

void BM_SelectCpu(benchmark::State& state) {
  Profile profile = ServiceProfile(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    absl::StatusOr<Profile> seen = SelectView(profile, View::kCpu);
    if (!seen.ok()) state.SkipWithError("the profile was refused");
  }
}

// Stacks in the profile.
constexpr int kSmall = 500;
constexpr int kLarge = 50'000;

BENCHMARK(BM_EncodePprof)
    ->Arg(kSmall)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_DecodePprof)
    ->Arg(kSmall)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_EncodeFolded)
    ->Arg(kSmall)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_DecodeFolded)
    ->Arg(kSmall)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_MergeTwo)->Arg(kSmall)->Arg(kLarge)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_SelectCpu)
    ->Arg(kSmall)
    ->Arg(kLarge)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace wallprof

BENCHMARK_MAIN();
