#include "fleet/pgo/profile/accept.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "tests/encode/shell.h"
#include "tests/fleet/pgo/profile/cpu_profiles.h"
#include "wallprof/formats.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::pgo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kMost = int64_t{1} << 53;

Profile Kept(const Profile& profile, std::string_view version = "") {
  absl::StatusOr<Profile> kept = DecodePprof(Accepted(profile, version));
  EXPECT_TRUE(kept.ok()) << kept.status();
  return kept.ok() ? *kept : Profile();
}

absl::Status Refused(const Profile& profile) {
  return AcceptProfile(EncodePprof(profile), "").status();
}

void ExpectInvalid(const absl::Status& status, std::string_view sentence) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(status.message(), std::string(sentence));
}

TEST(AcceptProfileTest, TakesWhatGoSendsPackedOrNot) {
  const Profile profile =
      CpuProfile({{{"main", "work"}, {3, 30'000'000}, {{"request", "7"}}},
                  {{"main", "work"}, {2, 20'000'000}, {{"request", "8"}}},
                  {{"main"}, {1, 10'000'000}}});
  const std::string packed = EncodePprof(profile);
  const auto accepted = AcceptProfile(packed, "v1");
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(accepted->version, "v1");
  EXPECT_EQ(accepted->samples, 2);
  EXPECT_EQ(accepted->cpu_ns, 60'000'000);
  const auto raw =
      AcceptProfile(*UnpackPprof(packed, packed.size() * 100), "v1");
  ASSERT_TRUE(raw.ok()) << raw.status();
  EXPECT_EQ(raw->bytes, accepted->bytes);
  const Profile kept = *DecodePprof(accepted->bytes);
  EXPECT_THAT(kept.comments, ElementsAre("wallprof.version=v1"));
  ASSERT_EQ(kept.samples.size(), 2);
  EXPECT_THAT(kept.samples[1].values, ElementsAre(5, 50'000'000));
  EXPECT_TRUE(kept.samples[1].labels.empty());
}

TEST(AcceptProfileTest, ReducesWallProfilesToCpuTime) {
  Profile profile = WallProfile({{{"main", "wait"}, {100, 0, 1'000'000'000}},
                                 {{"main", "a"}, {50, 15'000'000, 500'000'000}},
                                 {{"main", "b"}, {1, 16'000'000, 16'000'000}}});
  profile.period = 10'000'000;
  const Profile kept = Kept(profile);
  EXPECT_EQ(
      kept.sample_types,
      (std::vector<ValueType>{{"samples", "count"}, {"cpu", "nanoseconds"}}));
  EXPECT_EQ(kept.period_type, (ValueType{"cpu", "nanoseconds"}));
  EXPECT_EQ(kept.default_sample_type, "cpu");
  ASSERT_EQ(kept.samples.size(), 2);
  // 31 ms of a period of 10 ms are three samples, wherever they are.
  EXPECT_EQ(kept.samples[0].values[0] + kept.samples[1].values[0], 3);
  EXPECT_EQ(kept.samples[0].values[1] + kept.samples[1].values[1], 31'000'000);
}

TEST(AcceptProfileTest, FillsInTheColumnThatIsMissing) {
  Profile counts = ProfileOfStacks({{"samples", "count"}}, {{{"main"}, {7}}});
  counts.period_type = {"cpu", "nanoseconds"};
  counts.period = 5'000'000;
  EXPECT_THAT(Kept(counts).samples.at(0).values, ElementsAre(7, 35'000'000));
  counts.period_type = {"cycles", "count"};
  EXPECT_THAT(Kept(counts).samples.at(0).values, ElementsAre(7, 70'000'000));
  Profile times =
      ProfileOfStacks({{"cpu", "nanoseconds"}}, {{{"main"}, {35'000'000}}});
  times.period = 5'000'000;
  EXPECT_THAT(Kept(times).samples.at(0).values, ElementsAre(7, 35'000'000));
}

TEST(AcceptProfileTest, KeepsWhatCompilersRead) {
  Profile profile = CpuProfile({{{"main", "work"}, {1, 10'000'000}}});
  profile.functions[1] = {2, "pkg.(*T).Work[...]", "pkg.work", "/src/w.go", 40};
  profile.functions.push_back({3, "pkg.inlined", "", "/src/i.go", 7});
  profile.locations[1].lines = {{3, 9, 2}, {2, 44, 1}};
  profile.drop_frames = "runtime\\..*";
  profile.keep_frames = "runtime\\.main";
  const Profile kept = Kept(profile);
  const Location& leaf = kept.locations[kept.samples[0].location_ids[0] - 1];
  ASSERT_EQ(leaf.lines.size(), 2);
  const Function& inner = kept.functions[leaf.lines[0].function_id - 1];
  const Function& outer = kept.functions[leaf.lines[1].function_id - 1];
  EXPECT_EQ(inner.name, "pkg.inlined");
  EXPECT_EQ(inner.start_line, 7);
  EXPECT_EQ(leaf.lines[0].line, 9);
  EXPECT_EQ(outer.name, "pkg.(*T).Work[...]");
  EXPECT_EQ(outer.system_name, "pkg.work");
  EXPECT_EQ(outer.start_line, 40);
  EXPECT_EQ(leaf.lines[1].line, 44);
  EXPECT_EQ(kept.drop_frames, "runtime\\..*");
  EXPECT_EQ(kept.keep_frames, "runtime\\.main");
}

TEST(AcceptProfileTest, AddressesBecomeThoseInTheFile) {
  Profile profile = CpuProfile({{{"fixed", "moved", "outside"}, {1, 1}}});
  profile.mappings = {
      {1, 0x400000, 0x500000, 0x1000, "/bin/a", "id-of-a"},
      {2, 0x7f0000400000, 0x7f0000500000, 0x26000, "/lib/b.so", "b"}};
  profile.locations[0].mapping_id = 1;
  profile.locations[0].address = 0x401234;
  profile.locations[1].mapping_id = 2;
  profile.locations[1].address = 0x7f0000400abc;
  profile.locations[2].mapping_id = 2;
  profile.locations[2].address = 0x42;
  Profile elsewhere = profile;
  elsewhere.mappings[1].start += 0x100000;
  elsewhere.mappings[1].limit += 0x100000;
  elsewhere.locations[1].address += 0x100000;
  EXPECT_EQ(TextOf(Accepted(profile)), TextOf(Accepted(elsewhere)));
  const Profile kept = Kept(profile);
  EXPECT_EQ(kept.comments.at(0), "wallprof.version=id-of-a");
  std::vector<uint64_t> addresses;
  for (uint64_t id : kept.samples.at(0).location_ids) {
    addresses.push_back(kept.locations[id - 1].address);
  }
  EXPECT_THAT(addresses, ElementsAre(0x42, 0x26abc, 0x401234));
}

TEST(AcceptProfileTest, WhatIsAcceptedIsAcceptedAgainAsItIs) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    const std::string once = Accepted(RandomCpuProfile(random));
    const auto again = AcceptProfile(once, "");
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_EQ(TextOf(again->bytes), TextOf(once));
    ASSERT_EQ(again->bytes, once);
  }
}

TEST(AcceptProfileTest, TheVersionGivenCountsMoreThanTheOneThatIsThere) {
  Profile profile = CpuProfile({{{"main"}, {1, 1}}});
  profile.comments = {"built on Monday", "wallprof.version=v1"};
  profile.mappings = {{1, 0x400000, 0x500000, 0, "/bin/a", "abc"}};
  const std::string bytes = EncodePprof(profile);
  EXPECT_EQ(AcceptProfile(bytes, "")->version, "v1");
  EXPECT_EQ(AcceptProfile(bytes, "v2")->version, "v2");
  profile.comments.clear();
  EXPECT_EQ(AcceptProfile(EncodePprof(profile), "")->version, "abc");
  profile.mappings[0].build_id = "no\nid";
  EXPECT_EQ(AcceptProfile(EncodePprof(profile), "")->version, "");
  ExpectInvalid(AcceptProfile(bytes, "a\nb").status(),
                "the version has a character that is not printable ASCII");
  ExpectInvalid(AcceptProfile(bytes, std::string(257, 'v')).status(),
                "the version has 257 bytes; at most 256 are taken");
}

TEST(AcceptProfileTest, RefusesWhatIsNoProfile) {
  ExpectInvalid(AcceptProfile("", "").status(),
                "there is no profile: nothing was sent");
  ExpectInvalid(AcceptProfile(PackPprof(""), "").status(),
                "the profile is empty");
  EXPECT_THAT(AcceptProfile("no pprof at all", "").status().ToString(),
              HasSubstr("INVALID_ARGUMENT: this is no profile: "));
  const std::string bytes =
      EncodePprof(CpuProfile({{{"main", "work"}, {3, 30'000'000}}}));
  for (size_t size = 1; size < bytes.size(); ++size) {
    const absl::Status status =
        AcceptProfile(bytes.substr(0, size), "").status();
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << size;
    ASSERT_THAT(std::string(status.message()),
                testing::StartsWith("this is no profile: "));
  }
}

TEST(AcceptProfileTest, RefusesOtherKindsByName) {
  const auto of_types = [](const std::vector<ValueType>& types) {
    return ProfileOfStacks(types,
                           {{{"main"}, std::vector<int64_t>(types.size(), 1)}});
  };
  ExpectInvalid(
      Refused(of_types({{"alloc_space", "bytes"}, {"inuse_space", "bytes"}})),
      "the profile is no CPU profile: it has alloc_space/bytes, "
      "inuse_space/bytes, but neither samples/count nor cpu/nanoseconds");
  ExpectInvalid(
      Refused(of_types({{"contentions", "count"}, {"delay", "nanoseconds"}})),
      "the profile is no CPU profile: it has contentions/count, "
      "delay/nanoseconds, but neither samples/count nor cpu/nanoseconds");
  ExpectInvalid(
      Refused(of_types({{"samples", "count"}, {"time", "nanoseconds"}})),
      "the profile is of wall-clock time (samples/count, time/nanoseconds) "
      "without cpu/nanoseconds: time in which threads wait would make cold "
      "code look hot");
  ExpectInvalid(Refused(of_types({{"samples", "count"}, {"space", "bytes"}})),
                "the profile is no CPU profile: it has samples/count, "
                "space/bytes, but not cpu/nanoseconds");
  Profile waits = of_types({{"samples", "count"}});
  waits.period_type = {"wall", "nanoseconds"};
  EXPECT_THAT(Refused(waits).ToString(), HasSubstr("of wall-clock time"));
}

TEST(AcceptProfileTest, RefusesProfilesThatSayNothing) {
  ExpectInvalid(Refused(CpuProfile({})), "the profile has no samples");
  ExpectInvalid(Refused(WallProfile({{{"main", "wait"}, {9, 0, 90}}})),
                "the profile has no sample with CPU time");
}

TEST(AcceptProfileTest, RefusesValuesThatDoNotAddUp) {
  ExpectInvalid(
      Refused(CpuProfile({{{"main"}, {1, 5}}, {{"main", "a"}, {1, -3}}})),
      "the profile has a negative value, -3: it is a difference, or damaged");
  EXPECT_EQ(Refused(CpuProfile({{{"main"}, {kMost, kMost}}})),
            absl::OkStatus());
  ExpectInvalid(
      Refused(CpuProfile({{{"main"}, {1, kMost}}, {{"main", "a"}, {1, 1}}})),
      "the profile's total of cpu/nanoseconds is above 9007199254740992, which "
      "is more than can be added up");
  AcceptLimits limits;
  limits.total = 2 * kMost;
  const Profile large = CpuProfile({{{"main"}, {1, kMost + 1}}});
  EXPECT_EQ(AcceptProfile(EncodePprof(large), "", limits).status(),
            absl::OkStatus());
  Profile counts =
      ProfileOfStacks({{"samples", "count"}},
                      {{{"main"}, {std::numeric_limits<int64_t>::max()}}});
  counts.period_type = {};
  EXPECT_THAT(Refused(counts).ToString(), HasSubstr("more than can be added"));
}

TEST(AcceptProfileTest, RefusesDanglingIds) {
  Profile profile = CpuProfile({{{"main"}, {1, 1}}});
  profile.samples[0].location_ids = {77};
  EXPECT_THAT(Refused(profile).ToString(),
              HasSubstr("INVALID_ARGUMENT: this is no profile: "));
}

TEST(AcceptProfileTest, NamesTheLimitThatIsPassed) {
  const std::string bytes = EncodePprof(
      CpuProfile({{{"a", "b", "c"}, {1, 1}}, {{"a", "b"}, {1, 1}}}));
  AcceptLimits limits;
  limits.samples = 1;
  EXPECT_EQ(AcceptProfile(bytes, "", limits).status(),
            absl::ResourceExhaustedError(
                "the profile has 2 samples; at most 1 are taken"));
  limits = AcceptLimits();
  limits.depth = 2;
  EXPECT_EQ(AcceptProfile(bytes, "", limits).status(),
            absl::ResourceExhaustedError(
                "the profile has 3 frames in a stack; at most 2 are taken"));
  limits = AcceptLimits();
  limits.message_bytes = 100;
  EXPECT_EQ(AcceptProfile(bytes, "", limits).status(),
            absl::ResourceExhaustedError(
                "the profile has more than 100 bytes when unpacked"));
  EXPECT_EQ(
      AcceptProfile(PackPprof(std::string(1 << 20, '\0')), "", limits).status(),
      absl::ResourceExhaustedError(
          "the profile has more than 100 bytes when unpacked"));
}

TEST(AcceptProfileTest, TellsWhatIsTooLargeFromWhatIsWrong) {
  // Functions 1 to 1100 have the name 1, of which each has a copy when it is
  // decoded.
  std::string message;
  for (int id = 1; id <= 1100; ++id) {
    message +=
        {'\x2a', 5, 8, static_cast<char>(id | 0x80), static_cast<char>(id >> 7),
         16,     1};
  }
  message += std::string("\x32\0\x32\x80\x80\x40", 6);
  message += std::string(1 << 20, 'f');
  EXPECT_EQ(AcceptProfile(message, "").status(),
            absl::ResourceExhaustedError(
                "the profile would take more than 1073741824 bytes in memory"));
}

TEST(AcceptProfileTest, TakesWhatGperftoolsWrites) {
  const uint64_t words[] = {0, 3, 0,        10000,    0,  // a period of 10 ms
                            3, 2, 0x401010, 0x401020, 0, 1, 0};
  const std::string bytes(reinterpret_cast<const char*>(words), sizeof(words));
  const auto accepted = AcceptProfile(
      bytes + "00401000-00402000 r-xp 00001000 08:01 1   /bin/demo\n", "v1");
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(accepted->cpu_ns, 30'000'000);
  EXPECT_EQ(accepted->version, "v1");
  EXPECT_THAT(AcceptProfile(bytes.substr(0, 60), "").status().ToString(),
              HasSubstr("INVALID_ARGUMENT: this is no profile: "));
}

// What a server's test sends over HTTP gets the same answers here.
TEST(AcceptProfileTest, RefusesAllBadProfilesForTheirReasons) {
  TemporaryFolder folder;
  const ShellResult made =
      RunShell("python3 " BAD_PROFILES " " + folder.PathOf(""));
  ASSERT_EQ(made.exit_status, 0) << made.output;
  EXPECT_EQ(AcceptProfile(ReadWhole(folder.PathOf("good")), "").status(),
            absl::OkStatus());
  std::istringstream lines(made.output);
  int refused = 0;
  for (std::string name, status, reason;
       std::getline(lines, name, '\t') && std::getline(lines, status, '\t') &&
       std::getline(lines, reason);
       ++refused) {
    SCOPED_TRACE(name);
    const absl::Status answer =
        AcceptProfile(ReadWhole(folder.PathOf(name)), "").status();
    EXPECT_EQ(answer.code(), status == "413"
                                 ? absl::StatusCode::kResourceExhausted
                                 : absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(answer.message()), HasSubstr(reason));
  }
  EXPECT_GE(refused, 10);
}

}  // namespace
}  // namespace wallprof::pgo
