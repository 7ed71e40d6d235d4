// The verbs of `wallprof pgo` that ask a server, and what all have in common.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/pgo/base_table.h"
#include "tests/encode/shell.h"
#include "tests/fleet/objects/scripted_store.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kPgo[] = WALLPROF " pgo ";

constexpr char kBases[] =
    R"({"profiles":[{"key":"old","size":10,)"
    R"("lastModified":"2020-01-02T03:04:05Z"},{"key":"large-one","size":20000,)"
    R"("lastModified":"2999-01-02T03:04:05Z"},{"key":"small","size":999,)"
    R"("lastModified":"2999-01-02T03:04:05Z"}]})";

class PgoVerbsTest : public ::testing::Test {
 protected:
  // `before` is in front of the command: variables.
  ShellResult Run(const std::string& arguments,
                  const std::string& before = "") {
    return RunShell(absl::StrCat(before, " ", kPgo, arguments));
  }

  // The same, asking the server.
  ShellResult Ask(const std::string& arguments,
                  const std::string& before = "") {
    return Run(absl::StrCat(arguments, " --api-url ", server_.endpoint()),
               before);
  }

  // "METHOD target" of each request.
  std::vector<std::string> asked() {
    std::vector<std::string> lines;
    for (const auto& one : server_.asked()) {
      lines.push_back(one.method + " " + one.target);
    }
    return lines;
  }

  objects::ScriptedStore server_;
  TemporaryFolder folder_;
};

TEST_F(PgoVerbsTest, Uploads) {
  const std::string file = folder_.PathOf("cpu.pb.gz");
  WriteWhole(file, "bytes");
  server_.Script({{201, R"({"key":"shop/staging/17"})", {}},
                  {201, R"({"key":"shop/staging/18"})", {}}});
  ShellResult result = Ask("upload -a shop --program-version 1.2 " + file);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, "wallprof: sent as shop/staging/17\n");
  result = Ask("upload -l warn --app shop - < " + file);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(asked(), ElementsAre("POST /api/profile/shop?version=1.2",
                                   "POST /api/profile/shop"));
  for (const auto& one : server_.asked()) {
    EXPECT_EQ(one.body, "bytes");
    EXPECT_EQ(one.headers.count("Idempotency-Key"), 1u);
  }
}

TEST_F(PgoVerbsTest, SaysWhyAnUploadFailed) {
  server_.Script({{400, R"({"message":"this is no profile","code":400})", {}}});
  ShellResult result = Ask("upload -a shop /dev/null");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.output, absl::StrCat("wallprof: ", server_.endpoint(),
                                        ": this is no profile\n"));
  result = Ask("upload -a shop /no/such");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.output, StartsWith("wallprof: /no/such: "));
  EXPECT_EQ(server_.asked().size(), 1u);
}

TEST_F(PgoVerbsTest, DownloadsWholeOrNotAtAll) {
  const std::string file = folder_.PathOf("default.pgo");
  server_.Script(
      {{200, "first", {}}, {404, R"({"message":"Not Found","code":404})", {}}});
  ShellResult result = Ask("download shop -o " + file);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output,
            absl::StrCat("wallprof: wrote ", file, ", 5 bytes\n"));
  EXPECT_EQ(RunShell("cat " + file).output, "first");
  result = Ask("download shop --output " + file);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.output, HasSubstr("Not Found"));
  EXPECT_EQ(RunShell("cat " + file).output, "first");
  EXPECT_EQ(RunShell("ls -A " + folder_.PathOf("")).output, "default.pgo\n");
}

TEST_F(PgoVerbsTest, DownloadsToStandardOutputAndByDefaultToDefaultPgo) {
  server_.Script({{200, "first", {}}, {200, "second", {}}});
  EXPECT_EQ(Ask("download shop -o -").output, "first");
  const ShellResult result = RunShell(
      absl::StrCat("cd ", folder_.PathOf(""), " && ", kPgo, "download shop -u ",
                   server_.endpoint(), " && cat default.pgo"));
  EXPECT_EQ(result.output, "wallprof: wrote default.pgo, 6 bytes\nsecond");
}

// A profile that Go's compiler takes.
std::string GoBase() {
  Profile profile =
      ProfileOfStacks({{"samples", "count"}, {"cpu", "nanoseconds"}},
                      {{{"main.main"}, {3, 30'000'000}}});
  profile.functions[0].start_line = 5;
  return EncodePprof(profile);
}

TEST_F(PgoVerbsTest, ExportsWhatTheServerHas) {
  const std::string base = GoBase();
  server_.Script(
      {{200, base, {}}, {404, R"({"message":"Not Found","code":404})", {}}});
  const std::string file = folder_.PathOf("default.pgo");
  ShellResult result = Ask("export --format go shop -o " + file);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.output, HasSubstr("samples:   3 on a CPU"));
  EXPECT_TRUE(DecodePprof(ReadWhole(file)).ok());
  result = Ask("export --format go other -o " + folder_.PathOf("none"));
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("other, which is no profile's file"),
                    HasSubstr("Not Found")));
  EXPECT_THAT(asked(),
              ElementsAre("GET /api/profile/shop", "GET /api/profile/other"));
}

TEST_F(PgoVerbsTest, ExportsFilesWithoutAsking) {
  const std::string base = folder_.PathOf("shop");
  const std::string file = folder_.PathOf("default.pgo");
  WriteWhole(base, GoBase());
  ShellResult result = Ask("export --format go " + base + " -o " + file);
  EXPECT_EQ(result.exit_status, 0) << result.output;
  result = Ask("export -l warn --format go - -o " + file + " < " + base);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, "");
  result = Ask("export --format go /no/such/file -o " + file);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.output, HasSubstr("/no/such/file: no such file"));
  EXPECT_TRUE(asked().empty());
}

TEST_F(PgoVerbsTest, TakesAProgramsFileForNoProfile) {
  const std::string base = GoBase();
  server_.Script({{200, base, {}}});
  const std::string here = absl::StrCat("cd ", folder_.PathOf(""), " && ");
  const std::string ask = absl::StrCat(here, kPgo, "export -f go -u ",
                                       server_.endpoint(), " -o default.pgo ");
  RunShell(here + "cp /bin/true shop");
  EXPECT_EQ(RunShell(ask + "shop").exit_status, 0);
  EXPECT_THAT(asked(), ElementsAre("GET /api/profile/shop"));
  const ShellResult result = RunShell(ask + "./shop");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.output, AllOf(HasSubstr("./shop: is a program or library"),
                                   HasSubstr("wallprof run -o FILE.pb.gz")));
}

TEST_F(PgoVerbsTest, SaysWhatIsWantedOfFilesWithoutPlaces) {
  const std::string file = folder_.PathOf("x.folded");
  const std::string to = " -o " + folder_.PathOf("out");
  for (const auto& [content, said] :
       {std::pair{"main;work 3\n", "neither addresses nor lines"},
        std::pair{"", "has no samples"},
        std::pair{"<svg/>\n", "What is wanted is pprof's form"}}) {
    WriteWhole(file, content);
    const ShellResult result = Ask("export -f go " + file + to);
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_THAT(result.output, AllOf(HasSubstr(file), HasSubstr(said)));
  }
}

TEST_F(PgoVerbsTest, ReplacesNothingThatItReads) {
  const std::string file = folder_.PathOf("base");
  WriteWhole(file, GoBase());
  const std::string before = ReadWhole(file);
  const std::string onto = " -o " + file;
  for (const auto& [words, said] :
       {std::pair{"-f go " + file + onto, "would replace what is read"},
        std::pair{"-b " + file + " other" + onto, "would replace what is read"},
        std::pair{"-f go -o '' " + file, "--output: is empty"}}) {
    const ShellResult result = Ask("export " + words);
    EXPECT_EQ(result.exit_status, 2) << words;
    EXPECT_THAT(result.output, HasSubstr(said));
  }
  EXPECT_EQ(ReadWhole(file), before);
}

TEST_F(PgoVerbsTest, Lists) {
  server_.Script({{200, kBases, {}}, {200, R"({"profiles":[]})", {}}});
  const ShellResult result = Ask("list");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.output, StartsWith("NAME        SIZE    LAST MODIFIED\n"
                                        "old         10      "));
  EXPECT_THAT(result.output, HasSubstr("\nlarge-one   20000   0s ago\n"
                                       "small       999     0s ago\n"));
  EXPECT_EQ(Ask("list").output, "NAME   SIZE   LAST MODIFIED\n");
}

TEST(AgeTextTest, HasTwoUnits) {
  EXPECT_EQ(AgeText(absl::Milliseconds(-5)), "0s");
  EXPECT_EQ(AgeText(absl::Seconds(59)), "59s");
  EXPECT_EQ(AgeText(absl::Seconds(60)), "1m0s");
  EXPECT_EQ(AgeText(absl::Seconds(3599)), "59m59s");
  EXPECT_EQ(AgeText(absl::Minutes(192)), "3h12m");
  EXPECT_EQ(AgeText(absl::Hours(53)), "2d5h");
}

TEST_F(PgoVerbsTest, Deletes) {
  server_.Script({{200, "{}", {}}});
  const ShellResult result = Ask("delete shop");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, "wallprof: deleted shop\n");
  EXPECT_THAT(asked(), ElementsAre("DELETE /api/profile/shop"));
}

TEST_F(PgoVerbsTest, CleansTheOldOrLarge) {
  server_.Script({{200, kBases, {}},
                  {200, "{}", {}},
                  {404, R"({"message":"Not Found","code":404})", {}}});
  const ShellResult result = Ask("clean --older-than 24h --larger-than 19999");
  EXPECT_EQ(result.exit_status, 0);
  // What another has deleted meanwhile is none of this one's.
  EXPECT_EQ(result.output, "Deleted profile 'old'\n");
  EXPECT_THAT(asked(),
              ElementsAre("GET /api/profile", "DELETE /api/profile/old",
                          "DELETE /api/profile/large-one"));
}

TEST_F(PgoVerbsTest, CleansWhatIsStrictlyLarger) {
  server_.Script({{200, kBases, {}}});
  EXPECT_EQ(Ask("clean -s 20000").output, "");
  EXPECT_THAT(asked(), ElementsAre("GET /api/profile"));
}

TEST_F(PgoVerbsTest, CleansNothingOnADryRun) {
  server_.Script({{200, kBases, {}}});
  EXPECT_EQ(Ask("clean -s 998 -d 1h30m --dry-run").output,
            "Would delete profile 'old'\nWould delete profile 'large-one'\n"
            "Would delete profile 'small'\n");
  EXPECT_THAT(asked(), ElementsAre("GET /api/profile"));
}

TEST_F(PgoVerbsTest, GoesOnCleaningAfterAFailure) {
  server_.Script({{200, kBases, {}},
                  {503, R"({"message":"away","code":503})", {}},
                  {200, "{}", {}}});
  const ShellResult result = Ask("clean -d 24h -s 1000");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.output, HasSubstr(": away\n"));
  EXPECT_THAT(result.output, HasSubstr("Deleted profile 'large-one'\n"));
  EXPECT_THAT(result.output, HasSubstr("wallprof: not all could be deleted"));
}

TEST_F(PgoVerbsTest, VariablesOfBothNamesAreTaken) {
  const std::string ours = "WALLPROF_PGO_API_URL=" + server_.endpoint();
  const std::string theirs = "AUTOPGO_API_URL=" + server_.endpoint();
  const std::string nowhere = "=http://127.0.0.1:1";
  EXPECT_EQ(Run("delete a", ours).exit_status, 0);
  EXPECT_EQ(Run("delete b", theirs).exit_status, 0);
  EXPECT_EQ(Run("delete c", absl::StrCat(ours, " AUTOPGO_API_URL", nowhere))
                .exit_status,
            0);
  EXPECT_EQ(Ask("delete d", absl::StrCat("WALLPROF_PGO_API_URL", nowhere))
                .exit_status,
            0);
  EXPECT_THAT(asked(),
              ElementsAre("DELETE /api/profile/a", "DELETE /api/profile/b",
                          "DELETE /api/profile/c", "DELETE /api/profile/d"));
}

TEST_F(PgoVerbsTest, VariablesOfOtherVerbsDoNotMatter) {
  EXPECT_EQ(Ask("delete a",
                "AUTOPGO_PORT=http WALLPROF_PGO_OLDER_THAN=soon "
                "AUTOPGO_CONFIG=/no/such")
                .exit_status,
            0);
  const ShellResult result = Ask("clean", "AUTOPGO_OLDER_THAN=soon");
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_THAT(result.output, HasSubstr("soon is not a duration"));
}

TEST_F(PgoVerbsTest, TokensAreSent) {
  const std::string file = folder_.PathOf("token");
  WriteWhole(file, "from-file\n");
  Ask("delete a --token on-line");
  Ask("delete b", "WALLPROF_PGO_TOKEN=in-variable");
  Ask("delete c --token-file " + file);
  std::vector<std::string> tokens;
  for (const auto& one : server_.asked()) {
    tokens.push_back(one.headers.find("Authorization")->second);
  }
  EXPECT_THAT(tokens, ElementsAre("Bearer on-line", "Bearer in-variable",
                                  "Bearer from-file"));
}

class PgoHelpTest : public testing::TestWithParam<const char*> {};

TEST_P(PgoHelpTest, HasHelpAndVersion) {
  const std::string verb = std::string(kPgo) + GetParam();
  const ShellResult help = RunShell(verb + " --help");
  EXPECT_EQ(help.exit_status, 0);
  EXPECT_THAT(help.output,
              HasSubstr(std::string("Usage: wallprof pgo ") + GetParam()));
  if (*GetParam()) {
    EXPECT_THAT(help.output, HasSubstr("(Env:WALLPROF_PGO_"));
    EXPECT_THAT(help.output, HasSubstr("AUTOPGO_"));
    EXPECT_THAT(help.output, HasSubstr("-l,--log-level"));
  }
  EXPECT_EQ(RunShell(verb + " --version").output,
            "wallprof " WALLPROF_VERSION "\n");
}

INSTANTIATE_TEST_SUITE_P(Verbs, PgoHelpTest,
                         testing::Values("", "upload", "download", "export",
                                         "list", "delete", "clean", "scrape",
                                         "server", "worker", "serve"),
                         [](const testing::TestParamInfo<const char*>& info) {
                           return *info.param ? info.param : "group";
                         });

// Arguments, and what is said of them.
class PgoUsageTest
    : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(PgoUsageTest, IsStatusTwoAndSaysWhy) {
  const auto [arguments, words] = GetParam();
  const ShellResult result = RunShell(std::string(kPgo) + arguments);
  EXPECT_EQ(result.exit_status, 2) << result.output;
  EXPECT_THAT(result.output, StartsWith("wallprof: "));
  EXPECT_THAT(result.output, HasSubstr(words));
}

INSTANTIATE_TEST_SUITE_P(
    Arguments, PgoUsageTest,
    testing::Values(
        std::pair{"", "subcommand"}, std::pair{"nonsense", "subcommand"},
        std::pair{"upload -a shop", "file is required"},
        std::pair{"upload f", "--app is required"},
        std::pair{"upload -a Shop f", "invalid app name"},
        std::pair{"download", "app is required"},
        std::pair{"download a/b", "invalid app name"},
        std::pair{"export", "source is required"},
        std::pair{"export f", "--binary"},
        std::pair{"export --format nonsense f", "--format"},
        std::pair{"export --match nonsense -b b f", "--match"},
        std::pair{"export --format bolt --match lines -b b f", "--match"},
        std::pair{"delete", "app is required"},
        std::pair{"list -u localhost:8080", "must begin with http://"},
        std::pair{"list -l loud", "--log-level"},
        std::pair{"list --timeout 5", "--timeout"},
        std::pair{"list --token a --token-file /etc/hostname", "excludes"},
        std::pair{"list --token-file /dev/null", "no token"},
        std::pair{"clean", "one of --older-than or --larger-than must be set"},
        std::pair{"clean -d 1", "--older-than"},
        std::pair{"clean -d -1h", "--older-than"},
        std::pair{"clean -s 0", "--larger-than"},
        std::pair{"clean -s 1k", "--larger-than"},
        std::pair{"serve", "--dir is required"},
        std::pair{"serve --dir d -p 0", "--port"},
        std::pair{"serve --dir d -p 70000", "--port"},
        std::pair{"serve --dir d -p 80 --listen :81", "excludes"},
        std::pair{"serve --dir d --half-life 0s", "--half-life"},
        std::pair{"serve --dir d --old-version-weight 2",
                  "--old-version-weight"},
        std::pair{"serve --dir d --version-weight 1.2", "VERSION=WEIGHT"},
        std::pair{"serve --dir d --version-weight 1.2=-1", "VERSION=WEIGHT"},
        std::pair{"serve --dir d --log-level loud", "--log-level"},
        std::pair{"serve --dir d --config /no/such", "/no/such"},
        std::pair{"server", "--blob-store-url is required"},
        std::pair{"server --blob-store-url file:///d",
                  "--event-writer-url is required"},
        std::pair{
            "server --blob-store-url file:///d --event-writer-url mem://a",
            "--event-writer-url"},
        std::pair{"server --blob-store-url file:///d --event-writer-url "
                  "kafka://127.0.0.1:1/a",
                  "--version-store-url is required"},
        std::pair{"worker --blob-store-url file:///d --event-writer-url "
                  "nats://127.0.0.1:1/a",
                  "--event-reader-url is required"},
        std::pair{"worker --blob-store-url file:///d --event-writer-url "
                  "nats://127.0.0.1:1/a --event-reader-url x",
                  "--event-reader-url"}));

}  // namespace
}  // namespace wallprof::cli
