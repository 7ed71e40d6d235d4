#include "wallprof/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using testing::ElementsAre;

Profile MustMerge(const std::vector<Profile>& profiles) {
  absl::StatusOr<Profile> merged = Merge(profiles);
  EXPECT_TRUE(merged.ok()) << merged.status();
  if (!merged.ok()) return {};
  EXPECT_EQ(CheckValid(*merged), absl::OkStatus());
  return *std::move(merged);
}

// One sample at `address` of a mapping.
Profile At(const Mapping& mapping, uint64_t address) {
  Profile profile = WallProfile({{{"f"}, {1, 0, 10}}});
  profile.mappings = {mapping};
  profile.locations[0].mapping_id = mapping.id;
  profile.locations[0].address = address;
  return profile;
}

TEST(MergeTest, NothingToMergeIsRefused) {
  EXPECT_EQ(Merge({}).status(),
            absl::InvalidArgumentError("no profiles to merge"));
}

TEST(MergeTest, EqualStacksAreAdded) {
  Profile merged = MustMerge({WallProfile({{{"main", "f"}, {1, 2, 3000}}}),
                              WallProfile({{{"main", "g"}, {1, 1, 1000}},
                                           {{"main", "f"}, {4, 5, 6000}}})});
  ASSERT_EQ(merged.samples.size(), 2);
  EXPECT_THAT(merged.samples[0].values, ElementsAre(5, 7, 9000));
  EXPECT_EQ(EncodeFolded(merged), "main;f 9\nmain;g 1\n");
  EXPECT_EQ(merged.functions.size(), 3);
  EXPECT_EQ(merged.locations.size(), 3);
}

TEST(MergeTest, LabelsKeepSamplesApartButTheirOrderDoesNot) {
  Label a = {"state", "blocked"};
  Label b = {"thread", "worker"};
  Label n = {"tid", "", 7};
  Profile merged = MustMerge({WallProfile({{{"f"}, {1, 0, 1}, {a, b, n}},
                                           {{"f"}, {1, 0, 2}, {n, b, a}},
                                           {{"f"}, {1, 0, 4}, {a, b}},
                                           {{"f"}, {1, 0, 8}, {}}})});
  ASSERT_EQ(merged.samples.size(), 3);
  EXPECT_THAT(merged.samples[0].values, ElementsAre(2, 0, 3));
  EXPECT_THAT(merged.samples[0].labels, ElementsAre(a, b, n));
}

TEST(MergeTest, ValuesOfOneLabelKeyKeepTheirOrder) {
  Label x = {"k", "x"};
  Label y = {"k", "y"};
  Profile merged = MustMerge(
      {WallProfile({{{"f"}, {1, 0, 1}, {x, y}}, {{"f"}, {1, 0, 1}, {y, x}}})});
  EXPECT_EQ(merged.samples.size(), 2);
}

TEST(MergeTest, NumbersInDifferentUnitsAreDifferentLabels) {
  Profile merged = MustMerge(
      {WallProfile({{{"f"}, {1, 0, 1}, {{"size", "", 4, "bytes"}}},
                    {{"f"}, {1, 0, 1}, {{"size", "", 4, "kilobytes"}}}})});
  EXPECT_EQ(merged.samples.size(), 2);
}

TEST(MergeTest, ZeroSamplesAreDroppedWithWhatTheyLedTo) {
  Profile merged = MustMerge(
      {WallProfile({{{"main", "none"}, {0, 0, 0}}, {{"main"}, {1, 0, 1}}})});
  EXPECT_EQ(merged.samples.size(), 1);
  ASSERT_EQ(merged.functions.size(), 1);
  EXPECT_EQ(merged.functions[0].name, "main");
}

TEST(MergeTest, SamplesThatCancelAreDroppedWithWhatTheyLedTo) {
  Profile merged =
      MustMerge({WallProfile({{{"gone"}, {1, 0, 5}}, {{"main"}, {1, 0, 1}}}),
                 WallProfile({{{"gone"}, {-1, 0, -5}}})});
  EXPECT_EQ(merged.samples.size(), 1);
  ASSERT_EQ(merged.functions.size(), 1);
  EXPECT_EQ(merged.functions[0].name, "main");
}

TEST(MergeTest, SumsStopAtTheLargestValue) {
  int64_t largest = std::numeric_limits<int64_t>::max();
  Profile one = WallProfile({{{"f"}, {1, 0, largest}}});
  EXPECT_THAT(MustMerge({one, one}).samples[0].values,
              ElementsAre(2, 0, largest));
}

TEST(MergeTest, HeadersAreCombined) {
  Profile a = WallProfile({});
  a.time = absl::FromUnixSeconds(200);
  a.duration = absl::Seconds(2);
  a.period = 5;
  a.comments = {"one", "two"};
  a.default_sample_type = "";
  a.drop_frames = "drop";
  a.keep_frames = "keep";
  Profile b = WallProfile({});
  b.time = absl::FromUnixSeconds(100);
  b.duration = absl::Seconds(3);
  b.period = 9;
  b.comments = {"two", "three"};
  b.default_sample_type = "cpu";
  b.drop_frames = "other";
  b.doc_url = "https://example.org";
  Profile unknown_time = WallProfile({});
  Profile merged = MustMerge({a, unknown_time, b});
  EXPECT_EQ(merged.time, b.time);
  EXPECT_EQ(merged.duration, absl::Seconds(5));
  EXPECT_EQ(merged.period, 9);
  EXPECT_THAT(merged.comments, ElementsAre("one", "two", "three"));
  EXPECT_EQ(merged.default_sample_type, "wall");  // of the second
  EXPECT_EQ(merged.drop_frames, "drop");
  EXPECT_EQ(merged.keep_frames, "keep");
  EXPECT_EQ(merged.doc_url, "https://example.org");
}

TEST(MergeTest, DifferentTypesAreRefused) {
  Profile a = WallProfile({});
  Profile b = ProfileOfStacks({{"cpu", "nanoseconds"}}, {});
  b.period_type = a.period_type;
  EXPECT_EQ(Merge(std::vector{a, b}).status(),
            absl::InvalidArgumentError(
                "incompatible sample types [samples/count cpu/nanoseconds "
                "wall/nanoseconds] and [cpu/nanoseconds]"));
  b.period_type = {"cpu", "nanoseconds"};
  EXPECT_EQ(Merge(std::vector{a, b}).status(),
            absl::InvalidArgumentError("incompatible period types "
                                       "wall/nanoseconds and "
                                       "cpu/nanoseconds"));
}

TEST(MergeTest, InvalidProfileIsRefused) {
  Profile invalid = WallProfile({{{"f"}, {1, 0, 1}}});
  invalid.samples[0].location_ids[0] = 9;
  EXPECT_EQ(Merge(std::vector{invalid}).status(),
            absl::InvalidArgumentError("sample has nil location"));
}

TEST(MergeTest, SameBinaryAtAnotherAddressIsTheSame) {
  Profile a = At({1, 0x10000, 0x20000, 0, "/bin/a", "id"}, 0x10123);
  Profile b = At({7, 0x550000, 0x560000, 0, "/bin/renamed", "id"}, 0x550123);
  Profile merged = MustMerge({a, b});
  ASSERT_EQ(merged.samples.size(), 1);
  ASSERT_EQ(merged.mappings.size(), 1);
  EXPECT_EQ(merged.mappings[0].filename, "/bin/a");
  EXPECT_EQ(merged.locations[0].address, 0x10123);
}

struct MappingCase {
  const char* name;
  Mapping other;
  bool same;
};

class MergeMappingTest : public testing::TestWithParam<MappingCase> {};

TEST_P(MergeMappingTest, IdentityIsSizeOffsetAndBuildIdOrFile) {
  Mapping first = {1, 0x10000, 0x20000, 0x1000, "/bin/a", "id"};
  if (GetParam().other.build_id.empty()) first.build_id.clear();
  if (GetParam().other.filename.empty()) first.filename.clear();
  const Mapping& other = GetParam().other;
  Profile merged =
      MustMerge({At(first, first.start + 0x10), At(other, other.start + 0x10)});
  EXPECT_EQ(merged.mappings.size(), GetParam().same ? 1 : 2);
  EXPECT_EQ(merged.samples.size(), GetParam().same ? 1 : 2);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, MergeMappingTest,
    testing::Values(
        MappingCase{
            "Equal", {1, 0x10000, 0x20000, 0x1000, "/bin/a", "id"}, true},
        MappingCase{"SizeWithinAPage",
                    {1, 0x10000, 0x1fff8, 0x1000, "/bin/a", "id"},
                    true},
        MappingCase{
            "OtherSize", {1, 0x10000, 0x21000, 0x1000, "/bin/a", "id"}, false},
        MappingCase{"OtherOffset",
                    {1, 0x10000, 0x20000, 0x2000, "/bin/a", "id"},
                    false},
        MappingCase{"OtherBuildId",
                    {1, 0x10000, 0x20000, 0x1000, "/bin/a", "other"},
                    false},
        MappingCase{"SameFileWithoutBuildId",
                    {1, 0x30000, 0x40000, 0x1000, "/bin/a", ""},
                    true},
        MappingCase{"OtherFileWithoutBuildId",
                    {1, 0x30000, 0x40000, 0x1000, "/bin/b", ""},
                    false},
        MappingCase{
            "BothUnnamed", {1, 0x30000, 0x40000, 0x1000, "", ""}, true}),
    [](const testing::TestParamInfo<MappingCase>& info) {
      return info.param.name;
    });

TEST(MergeTest, LocationsDifferByLinesColumnsAndFolding) {
  Profile base = FullProfile();
  base.samples = {{{1}, {1, 1, 1}, {}}};
  auto samples_with = [&](auto change) {
    Profile other = base;
    change(other.locations[0]);
    return MustMerge({base, other}).samples.size();
  };
  EXPECT_EQ(samples_with([](Location&) {}), 1);
  EXPECT_EQ(samples_with([](Location& l) { l.lines[0].line = 1; }), 2);
  EXPECT_EQ(samples_with([](Location& l) { l.lines[0].column = 1; }), 2);
  EXPECT_EQ(samples_with([](Location& l) { l.lines.pop_back(); }), 2);
  EXPECT_EQ(samples_with([](Location& l) { l.is_folded = true; }), 2);
  EXPECT_EQ(samples_with([](Location& l) { ++l.address; }), 2);
  EXPECT_EQ(samples_with([](Location& l) { l.mapping_id = 0; }), 2);
}

TEST(MergeTest, FunctionsDifferByAnyOfTheirFields) {
  Profile base = WallProfile({{{"f"}, {1, 0, 1}}});
  auto functions_with = [&](auto change) {
    Profile other = base;
    change(other.functions[0]);
    return MustMerge({base, other}).functions.size();
  };
  EXPECT_EQ(functions_with([](Function& f) { f.id = f.id; }), 1);
  EXPECT_EQ(functions_with([](Function& f) { f.name = "g"; }), 2);
  EXPECT_EQ(functions_with([](Function& f) { f.system_name = "g"; }), 2);
  EXPECT_EQ(functions_with([](Function& f) { f.filename = "g"; }), 2);
  EXPECT_EQ(functions_with([](Function& f) { f.start_line = 9; }), 2);
}

TEST(MergeTest, FirstMappingStaysFirstThoughUnused) {
  Profile profile = FullProfile();
  profile.samples = {{{2}, {1, 0, 1}, {}}};  // in the second mapping
  Profile merged = MustMerge({WallProfile({}), profile});
  ASSERT_EQ(merged.mappings.size(), 2);
  EXPECT_EQ(merged.mappings[0].filename, "/bin/demo");
  EXPECT_EQ(merged.mappings[1].filename, "/lib/libc.so.6");
  EXPECT_EQ(merged.locations[0].mapping_id, 2);
}

TEST(MergeTest, IdsAreRenumberedInOrderOfFirstUse) {
  Profile profile = WallProfile({{{"b"}, {1, 0, 1}}, {{"a"}, {1, 0, 1}}});
  profile.functions[0].id = 90;
  profile.functions[1].id = 80;
  profile.locations[0].id = 70;
  profile.locations[1].id = 60;
  profile.locations[0].lines[0].function_id = 90;
  profile.locations[1].lines[0].function_id = 80;
  profile.samples[0].location_ids = {60};
  profile.samples[1].location_ids = {70};
  Profile merged = MustMerge({profile});
  EXPECT_THAT(merged.samples[0].location_ids, ElementsAre(1));
  EXPECT_THAT(merged.samples[1].location_ids, ElementsAre(2));
  EXPECT_EQ(merged.functions[0].name, "a");
  EXPECT_EQ(merged.functions[1].name, "b");
}

TEST(MergeTest, OneProfileIsItself) {
  Profile full = FullProfile();
  Profile merged = MustMerge({full});
  Profile again = MustMerge({merged});
  EXPECT_EQ(ProfileText(again), ProfileText(merged));
  EXPECT_EQ(EncodeFolded(merged), EncodeFolded(full));
}

}  // namespace
}  // namespace wallprof
