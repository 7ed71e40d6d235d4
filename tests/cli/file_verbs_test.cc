// The verbs that work on files: top, convert and diff.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/encode/shell.h"
#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof::cli {
namespace {

using testing::HasSubstr;

constexpr char kWallprof[] = WALLPROF " ";

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    EXPECT_EQ(WriteFile(before_, Path("before.pb.gz")), absl::OkStatus());
    EXPECT_EQ(WriteFile(after_, Path("after.pb.gz")), absl::OkStatus());
  }

  std::string Path(const std::string& name) { return folder_.PathOf(name); }

  // In the folder of the files.
  ShellResult Run(const std::string& arguments) {
    return RunShell("cd " + Path("") + " && " + kWallprof + arguments);
  }

  Profile before_ =
      WallProfile({{{"main", "wait"}, {60, 0, 6'000'000'000}},
                   {{"main", "spin"}, {30, 3'000'000'000, 3'000'000'000}}});
  Profile after_ =
      WallProfile({{{"main", "wait"}, {60, 0, 6'000'000'000}},
                   {{"main", "spin"}, {60, 6'000'000'000, 6'000'000'000}}});
  TemporaryFolder folder_;
};

TEST_F(FilesTest, ConvertShowsLinesIfAsked) {
  Profile profile = WallProfile({{{"main"}, {1, 0, 5000}}});
  profile.functions[0].filename = "/src/main.cc";
  profile.locations[0].lines[0].line = 7;
  ASSERT_EQ(WriteFile(profile, Path("lines.pb.gz")), absl::OkStatus());
  EXPECT_EQ(Run("convert --lines lines.pb.gz -").output,
            "main (main.cc:7) 5\n");
  ASSERT_EQ(Run("convert --lines lines.pb.gz lines.txt").exit_status, 0);
  EXPECT_EQ(Run("convert lines.txt -").output, "main (main.cc:7) 5\n");
  EXPECT_EQ(Run("convert lines.pb.gz -").output, "main 5\n");
}

TEST_F(FilesTest, TopShowsSelfAndTotal) {
  ShellResult result = Run("top before.pb.gz");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output,
            "wall: 9.00s in all\n"
            "      self   self%      total  total%  function\n"
            "     6.00s  66.67%      6.00s  66.67%  wait\n"
            "     3.00s  33.33%      3.00s  33.33%  spin\n"
            "         0   0.00%      9.00s 100.00%  main\n");
}

TEST_F(FilesTest, TopShowsAsManyRowsOfTheViewAsAskedFor) {
  ShellResult result = Run("top -n 1 --view cpu before.pb.gz");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output,
            "cpu: 3.00s in all\n"
            "      self   self%      total  total%  function\n"
            "     3.00s 100.00%      3.00s 100.00%  spin\n"
            "and 1 more\n");
}

TEST_F(FilesTest, TopReadsStandardInput) {
  EXPECT_EQ(Run("top - <before.pb.gz").output, Run("top before.pb.gz").output);
}

TEST_F(FilesTest, TopOfAViewThatIsNotThereFails) {
  ASSERT_EQ(Run("convert before.pb.gz b.folded").exit_status, 0);
  ShellResult result = Run("top --view cpu b.folded");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.output,
            "wallprof: b.folded: the profile has no sample type cpu, only "
            "[samples/count wall/nanoseconds]\n");
}

TEST_F(FilesTest, ConvertGoesBySuffix) {
  ASSERT_EQ(Run("convert before.pb.gz b.txt").exit_status, 0);
  EXPECT_EQ(ReadWhole(Path("b.txt")), "main;spin 3000000\nmain;wait 6000000\n");
  ASSERT_EQ(Run("convert b.txt b.pprof").exit_status, 0);
  absl::StatusOr<Profile> profile = DecodePprof(ReadWhole(Path("b.pprof")));
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(EncodeFolded(*profile), ReadWhole(Path("b.txt")));
}

TEST_F(FilesTest, ConvertToStandardOutputIsFoldedUnlessAskedOtherwise) {
  EXPECT_EQ(Run("convert - - <before.pb.gz").output, EncodeFolded(before_));
  EXPECT_EQ(Run("convert --to pprof - - <before.pb.gz").output,
            EncodePprof(before_));
}

TEST_F(FilesTest, ConvertToAFormatTakesAnySuffix) {
  ASSERT_EQ(Run("convert --to folded before.pb.gz stacks").exit_status, 0);
  EXPECT_EQ(ReadWhole(Path("stacks")), EncodeFolded(before_));
}

TEST_F(FilesTest, ConvertShowsAView) {
  EXPECT_EQ(Run("convert --view cpu before.pb.gz -").output,
            "main;spin 3000000\n");
}

TEST_F(FilesTest, FiltersChooseAPart) {
  EXPECT_EQ(Run("convert --focus '^sp' before.pb.gz -").output,
            "main;spin 3000000\n");
  EXPECT_EQ(Run("convert --hide main --ignore wait before.pb.gz -").output,
            "spin 3000000\n");
  EXPECT_THAT(Run("top --show 'main|wait' before.pb.gz").output,
              HasSubstr("3.00s  33.33%      9.00s 100.00%  main\n"));
  EXPECT_EQ(Run("diff --focus spin before.pb.gz after.pb.gz").output,
            "main;spin 3000000 6000000\n");
}

TEST_F(FilesTest, DiffShowsBothSidesOfEachStack) {
  ShellResult result = Run("diff before.pb.gz after.pb.gz");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output,
            "main;spin 3000000 6000000\n"
            "main;wait 6000000 6000000\n");
}

TEST_F(FilesTest, DiffNormalizes) {
  EXPECT_EQ(Run("diff --normalize before.pb.gz after.pb.gz").output,
            "main;spin 4000000 6000000\n"
            "main;wait 8000000 6000000\n");
}

TEST_F(FilesTest, DiffMarksTheBaseForPprof) {
  ASSERT_EQ(Run("diff -o d.pb.gz before.pb.gz - <after.pb.gz").exit_status, 0);
  absl::StatusOr<Profile> diff = DecodePprof(ReadWhole(Path("d.pb.gz")));
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(ProfileText(*diff),
            ProfileText(*Diff(before_, after_, {.label_base = true})));
  EXPECT_EQ(Run("convert d.pb.gz -").output,
            Run("diff before.pb.gz after.pb.gz").output);
}

TEST_F(FilesTest, DiffShowsATable) {
  ShellResult result = Run("diff --table before.pb.gz after.pb.gz");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output,
            "wall: before 9.00s, after 12.00s\n"
            "      self     before      after        total  function\n"
            "    +3.00s      3.00s      6.00s       +3.00s  spin\n"
            "         0          0          0       +3.00s  main\n"
            "         0      6.00s      6.00s            0  wait\n");
}

TEST_F(FilesTest, DiffComparesTwoViewsOfOneProfile) {
  EXPECT_EQ(Run("diff --view-before cpu --view-after wall before.pb.gz").output,
            "main;spin 3000000 3000000\n"
            "main;wait 0 6000000\n");
  EXPECT_EQ(Run("diff --view cpu before.pb.gz after.pb.gz").output,
            "main;spin 3000000 6000000\n");
  ASSERT_EQ(
      Run("diff --view-before cpu --view-after wall -o d.svg before.pb.gz")
          .exit_status,
      0);
  EXPECT_THAT(ReadWhole(Path("d.svg")),
              HasSubstr("<title>wait\nbefore 0, after 6.00s, +6.00s<"));
}

TEST_F(FilesTest, DiffOfDifferentTypesFails) {
  WriteWhole(Path("other.folded"), "main 1\n");
  ShellResult result = Run("diff before.pb.gz other.folded");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.output, HasSubstr("incompatible sample types"));
}

TEST_F(FilesTest, BadInputIsNamedAndFails) {
  WriteWhole(Path("bad.folded"), "main 1\nno weight\n");
  WriteWhole(Path("cut.pb.gz"), ReadWhole(Path("before.pb.gz")).substr(0, 50));
  WriteWhole(Path("empty.pb.gz"), "");
  for (const auto& [arguments, error] :
       {std::pair("top none", "none: cannot open: No such file or directory"),
        std::pair("top .", ".: nothing was recorded in this directory"),
        std::pair("top bad.folded",
                  "bad.folded: line 2: its weight is not a whole number"),
        std::pair("top - <bad.folded",
                  "standard input: line 2: its weight is not a whole number"),
        std::pair("convert cut.pb.gz x.folded",
                  "cut.pb.gz: decompressing profile: unexpected EOF"),
        std::pair("diff before.pb.gz empty.pb.gz",
                  "empty.pb.gz: parsing profile: empty input file"),
        std::pair("convert before.pb.gz none/x.folded",
                  "cannot create a file beside none/x.folded: No such file or "
                  "directory"),
        std::pair("convert before.pb.gz - >/dev/full",
                  "cannot write standard output: No space left on device")}) {
    ShellResult result = Run(arguments);
    EXPECT_EQ(result.exit_status, 1) << arguments;
    EXPECT_EQ(result.output, std::string("wallprof: ") + error + "\n");
  }
  EXPECT_FALSE(std::filesystem::exists(Path("x.folded")));
}

}  // namespace
}  // namespace wallprof::cli
