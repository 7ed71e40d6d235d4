// What every verb promises: help, version, and status 2 before any work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/encode/shell.h"
#include "wallprof/formats.h"

namespace wallprof::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kWallprof[] = WALLPROF " ";

class VerbTest : public testing::TestWithParam<const char*> {};

TEST_P(VerbTest, HasHelpAndVersion) {
  std::string verb = std::string(kWallprof) + GetParam();
  ShellResult help = RunShell(verb + " --help");
  EXPECT_EQ(help.exit_status, 0);
  EXPECT_THAT(help.output,
              HasSubstr(std::string("Usage: wallprof ") + GetParam()));
  ShellResult version = RunShell(verb + " --version");
  EXPECT_EQ(version.exit_status, 0);
  EXPECT_EQ(version.output, "wallprof " WALLPROF_VERSION "\n");
}

INSTANTIATE_TEST_SUITE_P(Verbs, VerbTest,
                         testing::Values("", "fetch", "top", "convert", "diff",
                                         "agent", "collect", "merge"),
                         [](const testing::TestParamInfo<const char*>& info) {
                           return *info.param ? info.param : "program";
                         });

class WrongUsageTest : public testing::TestWithParam<const char*> {};

TEST_P(WrongUsageTest, IsStatusTwoAndSaysWhy) {
  ShellResult result = RunShell(std::string(kWallprof) + GetParam());
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_THAT(result.output, StartsWith("wallprof: "));
  EXPECT_THAT(result.output, HasSubstr("--help"));
}

INSTANTIATE_TEST_SUITE_P(
    Arguments, WrongUsageTest,
    testing::Values(
        "", "nonsense", "top", "top a b", "top -n 0 a", "top -n x a",
        "top --view blocked a", "top --nonsense a", "top --from yesterday a",
        "top --to -5m a", "convert --from 5m a b.folded",
        "convert --to -5m a -", "fetch --from -5m --seconds 1 host:1",
        "convert a", "convert a b.png", "convert --to png a b", "diff a",
        "diff - -", "diff --view-before cpu a b",
        "diff --view-before cpu --view-after cpu a",
        "diff --table -o d.svg a b", "top --focus [ a", "top --tagfocus k=[ a",
        "diff -o x.png a b", "merge", "merge -o x.png a", "merge - -", "fetch",
        "fetch --seconds 0 :1", "fetch --seconds -1 :1",
        "fetch --seconds inf :1", "fetch --seconds 1x :1",
        "fetch --format png :1", "fetch --view x :1", "fetch -o x.png :1",
        "fetch ftp://localhost/", "collect", "collect --dir d --listen x",
        "collect --dir d --tls-key k", "collect --dir d --tls-cert c",
        "collect --dir d --max-requests 0", "collect --dir d --max-body-mib 0",
        "collect --dir d --exit-timeout 5", "collect --dir d --log-level loud",
        "fetch unix:", "fetch --seconds 1 'http://h/?seconds=2'"));

TEST(WrongUsageTest, UnknownSuffixIsFoundBeforeAnyWork) {
  TemporaryFolder folder;
  std::string out = folder.PathOf("out.png");
  ShellResult result =
      RunShell(std::string(kWallprof) + "convert /no/such/file " + out);
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_EQ(result.output, "wallprof: " + out + ": the suffix is none of " +
                               kFormatSuffixes +
                               "\n"
                               "Run with --help for more information.\n");
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace wallprof::cli
