// Brendan Gregg's flamegraph.pl is what folded output is for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/encode/shell.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using testing::HasSubstr;

// Where Debian's libdevel-nytprof-perl has it.
constexpr char kFlamegraph[] = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl";

TEST(FlamegraphTest, DrawsEveryFrameWithoutWarnings) {
  ASSERT_TRUE(std::filesystem::exists(kFlamegraph));
  Profile profile = WallProfile(
      {{{"main", "slowNetworkRequest()", "recv"}, {60, 0, 600'000'000}},
       {{"main", "a<b>(char const*, int) const; \"quoted\""},
        {30, 300'000'000, 300'000'000}},
       {{"main", "operator()\n(int)"}, {10, 0, 100'000'000}},
       {{}, {1, 0, 10'000'000}},
       {{"[truncated]", "libc.so.6+0x891f4"}, {1, 0, 1'000'000}}});
  TemporaryFolder folder;
  ASSERT_EQ(WriteFile(profile, folder.PathOf("p.folded")), absl::OkStatus());
  ShellResult result =
      RunShell(std::string("perl ") + kFlamegraph + " --minwidth=0 " +
               folder.PathOf("p.folded") + " 2>" + folder.PathOf("warnings"));
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(ReadWhole(folder.PathOf("warnings")), "");
  // It shows <> as (), and calls the unit samples.
  for (const char* frame :
       {"slowNetworkRequest() (600,000 samples",
        "a(b)(char const*, int) const_ &quot;quoted&quot; (300,000",
        "operator()_(int) (100,000", "[unknown] (10,000",
        "libc.so.6+0x891f4 (1,000", "main (1,000,000"}) {
    EXPECT_NE(result.output.find(frame), std::string::npos) << frame;
  }
}

}  // namespace
}  // namespace wallprof
