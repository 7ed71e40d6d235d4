#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/cli/canned_server.h"
#include "tests/encode/shell.h"
#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ShellResult Fetch(const std::string& arguments) {
  return RunShell(WALLPROF " fetch " + arguments);
}

TEST(FetchTest, AsksForTenSecondsOfFoldedStacks) {
  CannedServer server(HttpAnswer("200 OK", "main;f 5\n"));
  ShellResult result = Fetch(server.address());
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, "main;f 5\n");
  EXPECT_THAT(server.requests(),
              ElementsAre("GET /?seconds=10&format=folded HTTP/1.1"));
}

TEST(FetchTest, OptionsBecomeParameters) {
  CannedServer server(HttpAnswer("200 OK", EncodePprof(FullProfile())));
  TemporaryFolder folder;
  std::string out = folder.PathOf("p.pb.gz");
  ShellResult result =
      Fetch("--seconds 0.5 --view cpu -o " + out + " " + server.address());
  EXPECT_EQ(result.exit_status, 0) << result.output;
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(server.requests(),
              ElementsAre("GET /?seconds=0.5&format=pprof&view=cpu HTTP/1.1"));
  absl::StatusOr<Profile> profile = DecodePprof(ReadWhole(out));
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(ProfileText(*profile), ProfileText(FullProfile()));
}

TEST(FetchTest, LinesAreAskedForAndKept) {
  CannedServer server(HttpAnswer("200 OK", "main (a.cc:3);f (b.cc:12) 5\n"));
  ShellResult result = Fetch("--lines " + server.address());
  EXPECT_EQ(result.output, "main (a.cc:3);f (b.cc:12) 5\n");
  EXPECT_THAT(server.requests(),
              ElementsAre("GET /?seconds=10&format=folded&lines=1 HTTP/1.1"));
}

TEST(FetchTest, DetailIsALabelOrAFrame) {
  const Profile profile =
      WallProfile({{{"main", "recv"}, {1, 0, 5000}, {{"wait_kind", "pipe"}}}});
  CannedServer server(HttpAnswer("200 OK", EncodePprof(profile)));
  EXPECT_THAT(Fetch("--detail --format speedscope " + server.address()).output,
              HasSubstr("[pipe]"));
  EXPECT_THAT(Fetch("--format speedscope " + server.address()).output,
              testing::Not(HasSubstr("[pipe]")));
  EXPECT_THAT(server.requests(),
              ElementsAre("GET /?seconds=10&format=pprof&detail=1 HTTP/1.1",
                          "GET /?seconds=10&format=pprof HTTP/1.1"));
}

TEST(FetchTest, FormatsOfTimeGetTheSlicesApart) {
  CannedServer server(HttpAnswer("200 OK", EncodePprof(FullProfile())));
  EXPECT_THAT(Fetch("--from -10m --format chrome " + server.address()).output,
              HasSubstr("traceEvents"));
  EXPECT_THAT(server.requests(),
              ElementsAre("GET /?from=-10m&slices=1&format=pprof HTTP/1.1"));
}

TEST(FetchTest, AsksForThePastInsteadOfSeconds) {
  CannedServer server(HttpAnswer("200 OK", "main;f 5\n"));
  ShellResult result = Fetch("--from -10m --to -5m " + server.address());
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, "main;f 5\n");
  EXPECT_THAT(server.requests(),
              ElementsAre("GET /?from=-10m&to=-5m&format=folded HTTP/1.1"));
}

TEST(FetchTest, ServerThatKnowsNoFormatsIsUnderstood) {
  CannedServer server(HttpAnswer("200 OK", EncodePprof(FullProfile())));
  ShellResult result =
      Fetch("http://" + server.address() + "/debug/pprof/profile");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, EncodeFolded(FullProfile()));
}

TEST(FetchTest, FormatsThatAreOnlyWrittenAreMadeHere) {
  CannedServer server(HttpAnswer("200 OK", EncodePprof(FullProfile())));
  ShellResult result = Fetch("--format svg " + server.address());
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, EncodeSvg(FullProfile()));
  EXPECT_THAT(server.requests(),
              ElementsAre("GET /?seconds=10&format=pprof HTTP/1.1"));
}

TEST(FetchTest, UnixSocketIsAskedLikeAPort) {
  TemporaryFolder folder;
  CannedServer server(HttpAnswer("200 OK", "main 1\n"), folder.PathOf("s"));
  ShellResult result = Fetch("--seconds 1 " + server.address());
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, "main 1\n");
}

TEST(FetchTest, ServersErrorTextIsShown) {
  CannedServer server(
      HttpAnswer("400 Bad Request", "seconds is at most 3600\x1b[31m\n"));
  ShellResult result = Fetch("--seconds 9999 " + server.address());
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.output,
            "wallprof: http://" + server.address() +
                "/?seconds=9999&format=folded: status 400: seconds is at most "
                "3600 [31m\n");
}

TEST(FetchTest, WhatIsNoProfileIsNotWritten) {
  CannedServer server(HttpAnswer("200 OK", "<html>log in</html>"));
  TemporaryFolder folder;
  ShellResult result =
      Fetch("-o " + folder.PathOf("p.folded") + " " + server.address());
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.output, HasSubstr("not a profile: line 1: "));
  EXPECT_FALSE(std::filesystem::exists(folder.PathOf("p.folded")));
}

TEST(FetchTest, AnswerCutShortFails) {
  std::string answer = HttpAnswer("200 OK", "main;f 5\nmain;g 6\n");
  answer.resize(answer.size() - 9);
  CannedServer server(answer);
  ShellResult result = Fetch(server.address());
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.output, HasSubstr("bytes remaining to read"));
}

TEST(FetchTest, NobodyListeningFails) {
  std::string address;
  {
    CannedServer server("");
    address = server.address();
  }
  ShellResult result = Fetch(address);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.output, HasSubstr(address));
  TemporaryFolder folder;
  EXPECT_EQ(Fetch("unix:" + folder.PathOf("none")).exit_status, 1);
}

TEST(FetchTest, ProxyOfTheEnvironmentIsNotAskedForThisMachine) {
  CannedServer server(HttpAnswer("200 OK", "main 1\n"));
  ShellResult result = RunShell(
      "http_proxy=http://127.0.0.1:1 " WALLPROF " fetch " + server.address());
  EXPECT_EQ(result.exit_status, 0) << result.output;
}

TEST(FetchTest, ProgressIsShownOnATerminalOnly) {
  CannedServer server(HttpAnswer("200 OK", "main 1\n"));
  TemporaryFolder folder;
  ShellResult terminal =
      RunShell("script -qec '" WALLPROF " fetch " + server.address() +
               " >/dev/null' " + folder.PathOf("typescript"));
  EXPECT_EQ(terminal.exit_status, 0);
  EXPECT_THAT(terminal.output, HasSubstr("] 0 of 10 s"));
  EXPECT_EQ(Fetch(server.address()).output, "main 1\n");
}

}  // namespace
}  // namespace wallprof::cli
