#include "wallprof/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "profiler/profile/totals.h"
#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

NameMatch Is(std::string name) {
  return [name](std::string_view other) { return other == name; };
}

std::string FoldedOf(const absl::StatusOr<Profile>& profile) {
  if (!profile.ok()) return profile.status().ToString();
  EXPECT_EQ(CheckValid(*profile), absl::OkStatus());
  return EncodeFolded(*profile);
}

Profile Sample3() {
  return WallProfile({{{"a", "b", "c"}, {1, 0, 1000}, {{"k", "x"}}},
                      {{"a", "d"}, {1, 0, 2000}, {{"k", "y"}}},
                      {{"b", "a"}, {1, 0, 4000}}});
}

// "outer" has "middle" and "inner" inlined, all in one location below main.
Profile Inlined() {
  Profile profile = WallProfile({{{"main", "outer"}, {1, 0, 1000}}});
  profile.functions.push_back({3, "middle(int)", "", "", 0});
  profile.functions.push_back({4, "inner", "", "/src/inner.h", 0});
  profile.locations[1].lines = {{4}, {3}, {2}};
  profile.mappings = {{1, 0, 0x1000, 0, "/bin/demo"}};
  profile.locations[0].mapping_id = 1;
  return profile;
}

TEST(FilterTest, FocusAndIgnoreChooseSamples) {
  Filters filters;
  filters.focus = Is("b");
  EXPECT_EQ(FoldedOf(Filter(Sample3(), filters)), "a;b;c 1\nb;a 4\n");
  filters.ignore = Is("c");
  EXPECT_EQ(FoldedOf(Filter(Sample3(), filters)), "b;a 4\n");
}

TEST(FilterTest, HideAndShowChooseFrames) {
  Filters filters;
  filters.hide = Is("a");
  EXPECT_EQ(FoldedOf(Filter(Sample3(), filters)), "b 4\nb;c 1\nd 2\n");
  filters.show = Is("b");
  EXPECT_EQ(FoldedOf(Filter(Sample3(), filters)), "b 5\n");
  filters.show = Is("middle(int)");
  EXPECT_EQ(FoldedOf(Filter(Inlined(), filters)), "middle(int) 1\n");
}

TEST(FilterTest, ShowFromCutsCallersOffTheOutermostMatch) {
  Filters filters;
  filters.show_from = Is("b");
  EXPECT_EQ(FoldedOf(Filter(Sample3(), filters)), "b;a 4\nb;c 1\n");
  filters.show_from = Is("middle(int)");
  EXPECT_EQ(FoldedOf(Filter(Inlined(), filters)), "middle(int);inner 1\n");
}

TEST(FilterTest, FilesMatchToo) {
  Filters filters;
  filters.hide = Is("/src/inner.h");
  EXPECT_EQ(FoldedOf(Filter(Inlined(), filters)), "main;outer;middle(int) 1\n");
  filters.hide = Is("/bin/demo");
  EXPECT_EQ(FoldedOf(Filter(Inlined(), filters)),
            "outer;middle(int);inner 1\n");
}

TEST(FilterTest, ShowKeepsWhatIsKnownOnlyByItsFile) {
  Profile profile = Inlined();
  profile.locations[0].lines.clear();
  Filters filters;
  filters.show = Is("/bin/demo");
  EXPECT_EQ(FoldedOf(Filter(profile, filters)), "demo+0x0 1\n");
}

TEST(FilterTest, SamplesWithoutAStackStayUnlessAFrameIsAskedFor) {
  Profile profile = WallProfile({{{}, {1, 0, 1000}}, {{"a"}, {1, 0, 2000}}});
  Filters filters;
  filters.hide = Is("a");
  EXPECT_EQ(FoldedOf(Filter(profile, filters)), "[unknown] 1\n");
  filters = {};
  filters.show = Is("a");
  EXPECT_EQ(FoldedOf(Filter(profile, filters)), "a 2\n");
}

TEST(FilterTest, LabelsChooseSamples) {
  Filters filters;
  filters.tag_focus = [](const Sample& s) { return !s.labels.empty(); };
  filters.tag_ignore = [](const Sample& s) { return s.labels[0].text == "y"; };
  EXPECT_EQ(FoldedOf(Filter(Sample3(), filters)), "a;b;c 1\n");
}

TEST(FilterTest, NoFilterChangesNothing) {
  EXPECT_EQ(ProfileText(*Filter(FullProfile(), {})),
            ProfileText(FullProfile()));
}

TEST(PruneTest, DropsBelowTheOutermostMatchThatHasACaller) {
  EXPECT_EQ(FoldedOf(Prune(Sample3(), Is("b"), nullptr)),
            "a 1\na;d 2\nb;a 4\n");
  EXPECT_EQ(FoldedOf(Prune(Sample3(), Is("b"), Is("b"))),
            EncodeFolded(Sample3()));
  EXPECT_EQ(FoldedOf(Prune(Inlined(), Is("middle"), nullptr)),
            "main;outer 1\n");
}

TEST(PruneTest, NamesAreMatchedWithoutParameters) {
  Profile profile = WallProfile(
      {{{"m", "(anonymous namespace)::f(int)::operator()(char) const", "g"},
        {1, 0, 1000}}});
  EXPECT_EQ(FoldedOf(Prune(profile, Is("(anonymous namespace)::f"), nullptr)),
            "m 1\n");
  profile.functions[1].name = ".f::operator()(char)";
  EXPECT_EQ(FoldedOf(Prune(profile, Is("f::operator()"), nullptr)), "m 1\n");
}

TEST(PruneTest, PruneFromKeepsTheMatch) {
  EXPECT_EQ(FoldedOf(PruneFrom(Sample3(), Is("b"))), "a;b 1\na;d 2\nb 4\n");
  EXPECT_EQ(FoldedOf(PruneFrom(Inlined(), Is("middle"))),
            "main;outer;middle(int) 1\n");
}

TEST(ScaleTest, RoundsAwayFromZeroAndDropsWhatVanishes) {
  absl::StatusOr<Profile> scaled = Scale(
      WallProfile({{{"a"}, {1, 3, -5}}, {{"b"}, {0, 0, 1}}}), {1, 0.5, 0.3});
  ASSERT_TRUE(scaled.ok()) << scaled.status();
  ASSERT_EQ(scaled->samples.size(), 1);
  EXPECT_EQ(scaled->samples[0].values, (std::vector<int64_t>{1, 2, -2}));
  EXPECT_EQ(Scale(Sample3(), {1}).status().message(),
            "1 ratios for 3 sample types");
  EXPECT_FALSE(Scale(Sample3(), {1, 1, 1.0 / 0.0}).ok());
}

Profile RandomProfile(std::mt19937& random) {
  std::vector<TestStack> stacks(random() % 20 + 1);
  for (TestStack& stack : stacks) {
    for (size_t depth = random() % 6 + 1; depth > 0; --depth) {
      stack.frames.push_back(std::string(1, "abcdef"[random() % 6]));
    }
    int64_t wall = random() % 1'000'000 + 1;
    stack.values = {1, static_cast<int64_t>(random() % wall), wall};
  }
  return WallProfile(stacks);
}

// For many profiles: what has to hold whatever is in them.
TEST(OperationsTest, KeepTheirSums) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    Profile a = *Merge(std::vector{RandomProfile(random)});
    Profile b = *Merge(std::vector{RandomProfile(random)});
    Filters focus, ignore;
    focus.focus = ignore.ignore = Is("a");
    absl::StatusOr<Profile> with = Filter(a, focus);
    absl::StatusOr<Profile> without = Filter(a, ignore);
    ASSERT_TRUE(with.ok() && without.ok());
    EXPECT_EQ(FoldedOf(Merge(std::vector{*with, *without})), EncodeFolded(a));

    EXPECT_TRUE(Diff(a, a)->samples.empty());
    absl::StatusOr<Profile> difference = Diff(a, b);
    absl::StatusOr<Profile> sides = Diff(a, b, {.label_base = true});
    ASSERT_TRUE(difference.ok() && sides.ok());
    EXPECT_EQ(TotalsOf(*difference), TotalsOf(*sides));
    EXPECT_EQ(FoldedOf(Merge(std::vector{a, *difference})), EncodeFolded(b));

    Profile turned = *Scale(*Scale(a, {-1, -1, -1}), {-1, -1, -1});
    EXPECT_EQ(EncodeFolded(turned), EncodeFolded(a));
    absl::StatusOr<Profile> same_size = Normalize(a, b);
    ASSERT_TRUE(same_size.ok()) << same_size.status();
    EXPECT_NEAR(TotalsOf(*same_size)[2], TotalsOf(b)[2], a.samples.size());
  }
}

}  // namespace
}  // namespace wallprof
