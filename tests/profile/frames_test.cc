#include "profiler/profile/frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/profile/stack_profile.h"

namespace wallprof {
namespace {

using testing::ElementsAre;

// The names of the stack of the profile's first sample, root first.
std::vector<std::string> FirstStack(const Profile& profile) {
  Frames frames(profile);
  std::vector<uint32_t> stack;
  frames.AppendStack(profile.samples[0], stack);
  std::vector<std::string> names;
  for (uint32_t frame : stack) names.push_back(frames.names().names()[frame]);
  return names;
}

TEST(FramesTest, InlinedFunctionsAreFramesOutermostFirst) {
  EXPECT_THAT(FirstStack(FullProfile()),
              ElementsAre("main", "Wait(int)", "recv"));
}

TEST(FramesTest, UnknownCodeIsBaseNameAndAddressInTheFile) {
  Profile profile = FullProfile();
  profile.locations[1].lines.clear();
  EXPECT_EQ(FirstStack(profile).back(), "libc.so.6+0x26abc");
  profile.mappings[1].filename = "[vdso]";
  EXPECT_EQ(FirstStack(profile).back(), "[vdso]+0x26abc");
}

TEST(FramesTest, UnknownCodeWithoutAFileIsItsAddress) {
  Profile profile = FullProfile();
  profile.locations[1].lines.clear();
  profile.mappings[1].filename.clear();
  EXPECT_EQ(FirstStack(profile).back(), "0x7f0000000abc");
  profile.locations[1].mapping_id = 0;
  EXPECT_EQ(FirstStack(profile).back(), "0x7f0000000abc");
}

TEST(FramesTest, CompilersCopiesOfAFunctionAreTheFunction) {
  Profile profile = WallProfile(
      {{{"f(int) [clone .constprop.0] [clone .isra.0]"}, {1, 0, 1}}});
  EXPECT_THAT(FirstStack(profile), ElementsAre("f(int)"));
}

TEST(FramesTest, FunctionWithoutNameHasItsSystemNameOrPlace) {
  Profile profile = FullProfile();
  profile.functions[2].name.clear();
  EXPECT_EQ(FirstStack(profile).back(), "__recv");
  profile.functions[2].system_name.clear();
  EXPECT_EQ(FirstStack(profile).back(), "libc.so.6+0x26abc");
}

TEST(FramesTest, EqualNamesHaveOneNumber) {
  Profile profile = WallProfile({{{"f", "g"}, {1, 0, 1}}});
  profile.functions[1].name = "f";
  Frames frames(profile);
  std::vector<uint32_t> stack;
  frames.AppendStack(profile.samples[0], stack);
  EXPECT_THAT(stack, ElementsAre(0, 0));
  EXPECT_THAT(frames.names().names(), ElementsAre("f"));
}

}  // namespace
}  // namespace wallprof
