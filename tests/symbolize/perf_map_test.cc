#include "profiler/symbolize/perf_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "profiler/symbolize/symbolizer.h"
#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PerfMapTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) const {
    std::ofstream(path_, std::ios::binary) << text;
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/perf.map";
};

TEST_F(PerfMapTest, AnEntryReachesAsFarAsItSays) {
  Write(
      "1000 10 LazyCompile:*serve /srv/app.js:12\n"
      "0x2000 0x8 odd\n"
      "2000 8 stub\n");
  EXPECT_THAT(ReadPerfMap(path_, {0x100f, 0xfff, 0x1000, 0x1010, 0x2007}),
              ElementsAre("LazyCompile:*serve /srv/app.js:12", "",
                          "LazyCompile:*serve /srv/app.js:12", "", "stub"));
}

TEST_F(PerfMapTest, TheLastEntryCounts) {
  Write("1000 10 old\n1000 10 young\n");
  EXPECT_THAT(ReadPerfMap(path_, {0x1004}), ElementsAre("young"));
}

TEST_F(PerfMapTest, WhatIsNoEntryIsSkipped) {
  Write("\n1000\n1000 10\n1000 10 \nzz 10 f\n1000 zz f\n3000 10 last");
  EXPECT_THAT(ReadPerfMap(path_, {0x1000, 0x3000}), ElementsAre("", "last"));
}

TEST_F(PerfMapTest, OfALongMapTheEndIsRead) {
  std::string text = "1000 10 first\n";
  text.append(kMaxPerfMapBytes, '\n');
  Write(text + "2000 10 last\n");
  EXPECT_THAT(ReadPerfMap(path_, {0x1000, 0x2000}), ElementsAre("", "last"));
}

TEST_F(PerfMapTest, AFileOfSomebodyElseHasNoNames) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  Write("1000 10 planted\n");
  ASSERT_EQ(chown(path_.c_str(), 12345, 12345), 0);
  EXPECT_THAT(ReadPerfMap(path_, {0x1000}), Each(IsEmpty()));
}

TEST_F(PerfMapTest, AMissingMapHasNoNames) {
  EXPECT_THAT(ReadPerfMap(path_, {0x1000}), Each(IsEmpty()));
}

TEST_F(PerfMapTest, CodeInNoFileHasItsNameFromTheMap) {
  Write("1000 10 compiled\n3010 8 doubly_mapped\n");
  Profile profile = ProfileOf({});
  profile.mappings = {{2, 0x3000, 0x4000, 0, "/memfd:jit (deleted)", ""}};
  profile.locations = {{1, 0, 0x1008}, {2, 2, 0x3011}, {3, 2, 0x3040}};
  SymbolizerOptions options;
  options.perf_map = path_;
  Symbolizer(options).Symbolize(profile);
  EXPECT_EQ(FunctionAt(profile, 0).name, "compiled");
  EXPECT_EQ(FunctionAt(profile, 1).name, "doubly_mapped");
  EXPECT_EQ(FunctionAt(profile, 2).name, "memfd:jit+0x40");
  EXPECT_THAT(profile.comments, IsEmpty());
}

}  // namespace
}  // namespace wallprof::symbolize
