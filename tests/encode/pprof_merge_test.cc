#include "wallprof/pprof_merge.h"

#include <gtest/gtest.h>

#include "profiler/encode/gzip.h"
#include "profiler/encode/pprof_message.h"
#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

TEST(PprofMergerTest, SumsAsMergeDoes) {
  std::vector<Profile> profiles = {
      FullProfile(), WallProfile({{{"main", "work"}, {1, 2, 3}, {}}}),
      FullProfile()};
  profiles[1].period_type = profiles[0].period_type;
  PprofMerger merger;
  for (const Profile& profile : profiles) {
    ASSERT_TRUE(merger.Add(EncodePprofMessage(profile)).ok());
  }
  EXPECT_EQ(merger.count(), 3u);
  absl::StatusOr<std::string> sum = std::move(merger).FinishEncoded();
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_EQ(*sum, EncodePprof(*Merge(profiles)));
}

TEST(PprofMergerTest, NothingIsNoSum) {
  EXPECT_EQ(PprofMerger().Finish().status().message(), "no profiles to merge");
}

}  // namespace
}  // namespace wallprof
