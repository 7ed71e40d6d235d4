// Go's pprof reads what is written here, and what it wrote is read here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/encode/shell.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"
#include "wallprof/pprof_merge.h"

namespace wallprof {
namespace {

using testing::HasSubstr;

// pprof's output. Times are shown in the zone of the environment, and it saves
// its settings in the home folder.
std::string Pprof(const std::string& arguments) {
  TemporaryFolder home;
  ShellResult result = RunShell("TZ=UTC HOME=" + home.PathOf("") +
                                " go tool pprof " + arguments);
  EXPECT_EQ(result.exit_status, 0) << result.output;
  return result.output;
}

// Of the messages in these files, which may be gzipped, to `out`.
void AddUpFiles(const std::vector<std::string>& paths, const std::string& out) {
  PprofMerger merger;
  for (const std::string& path : paths) {
    absl::StatusOr<std::string> message =
        UnpackPprof(ReadWhole(path), kMaxDecodedBytes);
    ASSERT_TRUE(message.ok()) << message.status();
    EXPECT_EQ(merger.Add(*message), absl::OkStatus());
  }
  absl::StatusOr<std::string> sum = std::move(merger).FinishEncoded();
  ASSERT_TRUE(sum.ok()) << sum.status();
  WriteWhole(out, *sum);
}

TEST(GoPprofTest, RawShowsEveryField) {
  TemporaryFolder folder;
  std::string path = folder.PathOf("full.pb.gz");
  ASSERT_EQ(WriteFile(FullProfile(), path), absl::OkStatus());
  EXPECT_EQ(Pprof("-raw " + path), ReadWhole(TESTDATA "/full_profile.raw"));
}

TEST(GoPprofTest, TopSumsTheDefaultType) {
  TemporaryFolder folder;
  std::string path = folder.PathOf("wall.pb.gz");
  Profile profile =
      WallProfile({{{"main", "slow", "recv"}, {60, 0, 6'000'000'000}},
                   {{"main", "spin"}, {30, 3'000'000'000, 3'000'000'000}},
                   {{"main", "weird", "nap"}, {10, 0, 1'000'000'000}}});
  profile.duration = absl::Seconds(10);
  ASSERT_EQ(WriteFile(profile, path), absl::OkStatus());
  std::string top = Pprof("-top " + path);
  EXPECT_THAT(top, HasSubstr("Type: wall"));
  EXPECT_THAT(top, HasSubstr("Duration: 10s, Total samples = 10s (  100%)"));
  EXPECT_THAT(top, HasSubstr("6s 60.00% 60.00%         6s 60.00%  recv"));
  EXPECT_THAT(top, HasSubstr("0     0%   100%        10s   100%  main"));
  std::string cpu = Pprof("-top -sample_index=cpu " + path);
  EXPECT_THAT(cpu, HasSubstr("3s   100%   100%         3s   100%  spin"));
}

TEST(GoPprofTest, EmptyProfileIsReadable) {
  TemporaryFolder folder;
  std::string path = folder.PathOf("empty.pb.gz");
  ASSERT_EQ(WriteFile(WallProfile({}), path), absl::OkStatus());
  EXPECT_THAT(Pprof("-raw " + path), HasSubstr("wall/nanoseconds[dflt]"));
}

TEST(GoPprofTest, MergeAgreesWithPprofs) {
  TemporaryFolder folder;
  Profile a = FullProfile();
  Profile b = FullProfile();
  b.mappings[1].start += 0x5000000;  // loaded elsewhere
  b.mappings[1].limit += 0x5000000;
  b.locations[1].address += 0x5000000;
  b.samples[1].labels.clear();
  absl::StatusOr<Profile> merged = Merge(std::vector{a, b});
  ASSERT_TRUE(merged.ok()) << merged.status();
  for (const auto& [name, profile] :
       {std::pair("a", a), std::pair("b", b), std::pair("ours", *merged)}) {
    ASSERT_EQ(WriteFile(profile, folder.PathOf(name) + ".pb.gz"),
              absl::OkStatus());
  }
  EXPECT_EQ(Pprof("-raw " + folder.PathOf("ours.pb.gz")),
            Pprof("-raw " + folder.PathOf("a.pb.gz") + " " +
                  folder.PathOf("b.pb.gz")));
  AddUpFiles({folder.PathOf("a.pb.gz"), folder.PathOf("b.pb.gz")},
             folder.PathOf("sum.pb.gz"));
  EXPECT_EQ(Pprof("-raw " + folder.PathOf("sum.pb.gz")),
            Pprof("-raw " + folder.PathOf("ours.pb.gz")));
}

TEST(GoPprofTest, ProfileWrittenByGoComesBackTheSame) {
  TemporaryFolder folder;
  std::string theirs = folder.PathOf("theirs.pb.gz");
  std::string ours = folder.PathOf("ours.pb.gz");
  ShellResult run =
      RunShell("GOCACHE=" GO_CACHE " GO111MODULE=off go run " TESTDATA
               "/self_profile.go " +
               theirs);
  ASSERT_EQ(run.exit_status, 0) << run.output;
  absl::StatusOr<Profile> profile = DecodePprof(ReadWhole(theirs));
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_THAT(EncodeFolded(*profile), HasSubstr("main.spin"));
  ASSERT_EQ(WriteFile(*profile, ours), absl::OkStatus());
  std::string raw = Pprof("-raw " + theirs);
  EXPECT_THAT(raw, HasSubstr("request:[42]"));
  EXPECT_EQ(Pprof("-raw " + ours), raw);
  AddUpFiles({theirs, theirs, theirs}, ours);
  EXPECT_EQ(Pprof("-raw " + ours),
            Pprof("-raw " + theirs + " " + theirs + " " + theirs));
}

}  // namespace
}  // namespace wallprof
