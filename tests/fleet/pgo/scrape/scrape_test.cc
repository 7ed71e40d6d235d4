#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/pgo/scrape/rounds.h"
#include "fleet/pgo/scrape/targets.h"

namespace wallprof::pgo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TargetTest, AddressesAndPathsMeetAtOneSlash) {
  const auto made = [](const char* address, const char* path) {
    const absl::StatusOr<Target> target = MakeTarget(address, path);
    return target.ok() ? target->address + " " + target->path
                       : std::string(target.status().message());
  };
  EXPECT_EQ(made("http://a:1", ""), "http://a:1 /debug/pprof/profile");
  EXPECT_EQ(made("http://a:1/", "/x"), "http://a:1 /x");
  EXPECT_EQ(made("https://a/b//", "x?y=z"), "https://a/b /x?y=z");
  EXPECT_THAT(made("a:1", ""), HasSubstr("address 'a:1' cannot be"));
  EXPECT_THAT(made("http://a?b", ""), HasSubstr("query belongs to the path"));
  EXPECT_THAT(made("http://a", "/ x"), HasSubstr("path '/ x' cannot be"));
  EXPECT_THAT(made("ftp://me:secret@a", ""), Not(HasSubstr("secret")));
}

TEST(TargetTest, SecondsAreAddedToThePathsOwnQuery) {
  EXPECT_EQ(ProfileUrl({"http://a", "/p", ""}, 30), "http://a/p?seconds=30");
  EXPECT_EQ(ProfileUrl({"http://a", "/p?x=1&seconds=5", ""}, 30),
            "http://a/p?x=1&seconds=30");
}

TEST(TargetTest, PasswordsAreNotShown) {
  EXPECT_EQ(ShownTarget({"http://me:secret@a", "/p", ""}), "http://a/p");
}

TEST(TargetTest, EachPlaceOnceTheFirstThatWasNamed) {
  EXPECT_THAT(
      EachOnce({{"http://b", "/p", "2"},
                {"http://a", "/q", ""},
                {"http://b", "/p", "1"},
                {"http://a", "/p", ""}}),
      ElementsAre(Target{"http://a", "/p", ""}, Target{"http://a", "/q", ""},
                  Target{"http://b", "/p", "2"}));
}

TEST(RoundsTest, KeepTheirDistanceWhateverOneTakes) {
  const absl::Time start = absl::UnixEpoch();
  Rounds rounds(start, absl::Seconds(60));
  EXPECT_EQ(rounds.next(), start);
  EXPECT_EQ(rounds.Begin(start + absl::Seconds(1)), 0);
  EXPECT_EQ(rounds.next(), start + absl::Seconds(60));
  EXPECT_EQ(rounds.Begin(start + absl::Seconds(119)), 0);
  EXPECT_EQ(rounds.next(), start + absl::Seconds(120));
  EXPECT_EQ(rounds.Begin(start + absl::Seconds(250)), 2);
  EXPECT_EQ(rounds.next(), start + absl::Seconds(300));
}

}  // namespace
}  // namespace wallprof::pgo
