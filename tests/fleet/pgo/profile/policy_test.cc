#include "fleet/pgo/profile/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace wallprof::pgo {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

PartAge At(const Policy& policy, const std::string& version, absl::Time time) {
  return {PartKeyOf(policy, version, time), time};
}

TEST(PolicyTest, WithoutDecayAllCountTheSame) {
  const Policy policy;
  EXPECT_EQ(PartKeyOf(policy, "v", kStart), (PartKey{"v", 0}));
  EXPECT_EQ(PartKeyOf(policy, "v", kStart + absl::Hours(9999)),
            (PartKey{"v", 0}));
  EXPECT_THAT(WeightsOf(policy, {At(policy, "a", kStart),
                                 At(policy, "b", kStart + absl::Hours(9))}),
              ElementsAre(1, 1));
  EXPECT_TRUE(WeightsOf(policy, {}).empty());
}

TEST(PolicyTest, AHalfLifeLaterAProfileCountsHalf) {
  Policy policy;
  policy.half_life = absl::Hours(8);
  const PartAge newest = At(policy, "v", kStart);
  const auto weight = [&](absl::Duration age) {
    return WeightsOf(policy, {At(policy, "v", kStart - age), newest})[0];
  };
  EXPECT_THAT(weight(absl::Hours(8)), DoubleEq(0.5));
  EXPECT_THAT(weight(absl::Hours(80)), DoubleEq(1.0 / 1024));
  EXPECT_EQ(weight(absl::Hours(81)), 0);
  EXPECT_GT(weight(absl::Hours(1)), 0.91);
  EXPECT_LT(weight(absl::Hours(1)), 1);
}

TEST(PolicyTest, StretchesAreAnEighthOfAHalfLife) {
  Policy policy;
  policy.half_life = absl::Hours(8);
  const absl::Time begin = absl::FromUnixSeconds(3600 * 470'000);
  const PartKey key = PartKeyOf(policy, "v", begin);
  EXPECT_EQ(key.stretch, absl::ToUnixSeconds(begin));
  EXPECT_EQ(PartKeyOf(policy, "v", begin + absl::Minutes(59)), key);
  EXPECT_LT(key, PartKeyOf(policy, "v", begin + absl::Minutes(60)));
  EXPECT_LT(PartKeyOf(policy, "u", begin + absl::Hours(5)), key);
}

TEST(PolicyTest, PartsOfAnotherPolicyAreWeighedByTheirAge) {
  const Policy without;
  Policy with;
  with.half_life = absl::Hours(8);
  EXPECT_THAT(WeightsOf(with, {At(without, "v", kStart - absl::Hours(16)),
                               At(with, "v", kStart)}),
              ElementsAre(DoubleEq(0.25), 1));
}

TEST(PolicyTest, OldVersionsCountWhatThePolicySays) {
  Policy policy;
  policy.old_version_weight = 0.3;
  const std::vector<PartAge> parts = {
      At(policy, "old", kStart), At(policy, "new", kStart + absl::Hours(1)),
      At(policy, "older", kStart)};
  EXPECT_THAT(WeightsOf(policy, parts), ElementsAre(0.3, 1, 0.3));
  policy.version_weights["older"] = 0.7;
  EXPECT_THAT(WeightsOf(policy, parts), ElementsAre(0.3, 1, 0.7));
  policy.version_weights["new"] = 0;  // then another is the newest
  policy.version_weights["older"] = 0;
  EXPECT_THAT(WeightsOf(policy, parts), ElementsAre(1, 0, 0));
}

TEST(PolicyTest, TheNewestVersionBeganLastHoweverLongOthersGoOn) {
  Policy policy;
  policy.half_life = absl::Hours(8);
  policy.old_version_weight = 0.5;
  const absl::Time later = kStart + absl::Hours(24);
  EXPECT_THAT(
      WeightsOf(policy, {At(policy, "a", later), At(policy, "a", kStart),
                         At(policy, "b", later - absl::Hours(8))}),
      ElementsAre(DoubleEq(0.5), DoubleEq(0.0625), DoubleEq(0.5)));
}

TEST(PolicyTest, RefusesWhatIsNoPolicy) {
  EXPECT_TRUE(CheckPolicy({}).ok());
  Policy policy;
  policy.half_life = -absl::Seconds(1);
  EXPECT_EQ(CheckPolicy(policy).message(),
            "the half-life must be a time above 0, or 0 for none");
  policy = {};
  policy.old_version_weight = 1.5;
  EXPECT_EQ(CheckPolicy(policy).message(),
            "the weight of old versions must be between 0 and 1");
  policy = {};
  policy.version_weights["v1"] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(CheckPolicy(policy).message(),
            "the weight of version v1 must be between 0 and 1");
}

}  // namespace
}  // namespace wallprof::pgo
