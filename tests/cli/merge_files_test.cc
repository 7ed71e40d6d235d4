// The verb that adds profiles up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/encode/shell.h"
#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof::cli {
namespace {

class MergeVerbTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) { return folder_.PathOf(name); }

  // In the folder of the files.
  ShellResult Run(const std::string& arguments) {
    return RunShell("cd " + Path("") + " && " + WALLPROF + " merge " +
                    arguments);
  }

  // Files that differ, enough of them for several threads; their sum.
  Profile WriteMany() {
    std::vector<Profile> profiles;
    for (int i = 10; i < 50; ++i) {
      profiles.push_back(WallProfile(
          {{{"main", "wait"}, {1, 0, 1'000'000}},
           {{"main", absl::StrCat("work", i % 7)}, {1, 2000, 2000}}}));
      EXPECT_TRUE(
          WriteFile(profiles.back(), Path(absl::StrCat(i, ".pb.gz"))).ok());
    }
    return *Merge(profiles);
  }

  TemporaryFolder folder_;
};

TEST_F(MergeVerbTest, AddsUpToAFile) {
  const Profile sum = WriteMany();
  ShellResult result = Run("-o sum.pb.gz ??.pb.gz");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, "");
  absl::StatusOr<Profile> written = DecodePprof(ReadWhole(Path("sum.pb.gz")));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(ProfileText(*written), ProfileText(sum));
}

TEST_F(MergeVerbTest, WritesFoldedStacksUnlessAskedOtherwise) {
  const Profile sum = WriteMany();
  EXPECT_EQ(Run("??.pb.gz").output, EncodeFolded(sum));
  absl::StatusOr<Profile> printed =
      DecodePprof(Run("--to pprof ??.pb.gz").output);
  ASSERT_TRUE(printed.ok()) << printed.status();
  EXPECT_EQ(ProfileText(*printed), ProfileText(sum));
}

TEST_F(MergeVerbTest, ReadsAnyFormatAndStandardInput) {
  WriteWhole(Path("a.folded"), "main;work 5\n");
  WriteWhole(Path("b"), "main;work 6\nmain;wait 1\n");
  EXPECT_EQ(Run("a.folded - <b").output, "main;wait 1\nmain;work 11\n");
}

TEST_F(MergeVerbTest, NamesTheFileThatIsWrong) {
  WriteMany();
  WriteWhole(Path("cut.pb.gz"), ReadWhole(Path("10.pb.gz")).substr(0, 50));
  WriteWhole(Path("other.folded"), "main 1\n");
  WriteWhole(Path("bad.folded"), "main\n");
  for (const auto& [arguments, error] :
       {std::pair("??.pb.gz none",
                  "none: cannot open: No such file or "
                  "directory"),
        std::pair("cut.pb.gz ??.pb.gz",
                  "cut.pb.gz: decompressing profile: unexpected EOF"),
        std::pair("10.pb.gz bad.folded",
                  "bad.folded: line 1: no weight at its end"),
        std::pair("10.pb.gz .", ".: nothing was recorded in this directory"),
        std::pair("10.pb.gz other.folded",
                  "other.folded: incompatible sample types [samples/count "
                  "cpu/nanoseconds wall/nanoseconds] and [samples/count "
                  "wall/nanoseconds]")}) {
    ShellResult result = Run(absl::StrCat("-o sum.pb.gz ", arguments));
    EXPECT_EQ(result.exit_status, 1) << arguments;
    EXPECT_EQ(result.output, absl::StrCat("wallprof: ", error, "\n"));
    EXPECT_NE(RunShell("test -e " + Path("sum.pb.gz")).exit_status, 0);
  }
}

TEST_F(MergeVerbTest, SaysHowManyAreDoneOnATerminal) {
  WriteMany();
  const ShellResult result =
      RunShell("cd " + Path("") +
               " && script -qec '" WALLPROF
               " merge -o sum.pb.gz 10.pb.gz 11.pb.gz' /dev/null");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.output, testing::HasSubstr("1 of 2 profiles"));
}

}  // namespace
}  // namespace wallprof::cli
