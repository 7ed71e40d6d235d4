#include "fleet/store/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/fleet/store/sample_profiles.h"

namespace wallprof::store {
namespace {

TEST(GunzipTest, GivesWhatWasPacked) {
  const std::string message = SampleMessage(1);
  const std::string packed = GzipOf(message);
  EXPECT_EQ(*Gunzip(packed, static_cast<int64_t>(message.size())), message);
  EXPECT_EQ(*Gunzip(packed + packed, static_cast<int64_t>(2 * message.size())),
            message + message);
}

TEST(GunzipTest, DamageIsSaid) {
  const std::string message = SampleMessage(1);
  const auto bytes = static_cast<int64_t>(message.size());
  std::string packed = GzipOf(message);
  EXPECT_TRUE(absl::IsDataLoss(Gunzip(packed, bytes + 1).status()));
  EXPECT_TRUE(absl::IsDataLoss(Gunzip(packed, bytes - 1).status()));
  packed[packed.size() / 2] ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(Gunzip(packed, bytes).status()));
}

TEST(GunzipMemberTest, KnowsTheSizeFromTheEnd) {
  const std::string message = SampleMessage(1);
  const std::string packed = GzipOf(message);
  EXPECT_EQ(GunzipMember(packed, message.size()), message);
  EXPECT_EQ(GunzipMember(packed, message.size() - 1), std::nullopt);
  EXPECT_EQ(GunzipMember(GzipOf(""), 0), "");
}

TEST(GunzipMemberTest, LeavesWhatIsUnusualToOthers) {
  const std::string packed = GzipOf(SampleMessage(1));
  constexpr size_t kPlenty = size_t{1} << 30;
  EXPECT_EQ(GunzipMember("", kPlenty), std::nullopt);
  EXPECT_EQ(GunzipMember("\x1f\x8b", kPlenty), std::nullopt);
  EXPECT_EQ(GunzipMember(packed.substr(0, packed.size() - 1), kPlenty),
            std::nullopt);
  EXPECT_EQ(GunzipMember(packed + packed, kPlenty), std::nullopt);
  std::string boast = packed;
  boast[boast.size() - 1] = 0x3f;  // a GiB, it says
  EXPECT_EQ(GunzipMember(boast, kPlenty), std::nullopt);
}

}  // namespace
}  // namespace wallprof::store
