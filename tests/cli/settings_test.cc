#include "cli/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tests/encode/shell.h"

namespace wallprof::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kFile[] = "settings.toml";

// A verb of a program with options of each kind.
class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() {
    program_.require_subcommand(1);
    CLI::App* verb = program_.add_subcommand("verb", "Does it.");
    AddConfigFile(*verb);
    verb->add_option("--name", name_, "")->required();
    verb->add_option("--how-many", how_many_, "")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    verb->add_option("--share", share_, "");
    verb->add_option("--label", labels_, "")->delimiter(',');
    verb->add_option_function<std::string>(
            "--view", [this](const std::string& view) { view_ = view; }, "")
        ->check(CLI::IsMember({"wall", "cpu"}));
    verb->add_flag("--fast", fast_, "");
    verb->add_option("file", positional_, "");
    AddVariables(*verb, {"WALLPROF_SETTINGS_TEST_"});
  }
  ~SettingsTest() override {
    for (const char* variable : {"NAME", "HOW_MANY", "LABEL", "CONFIG"}) {
      unsetenv((std::string("WALLPROF_SETTINGS_TEST_") + variable).c_str());
    }
  }

  static void SetVariable(const std::string& name, const std::string& value) {
    setenv(("WALLPROF_SETTINGS_TEST_" + name).c_str(), value.c_str(), 1);
  }

  std::string Write(const std::string& text) {
    std::string path = folder_.PathOf(kFile);
    std::ofstream(path) << text;
    return path;
  }

  // Runs the verb; what is wrong with its arguments, empty: nothing.
  std::string Parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "verb");
    std::reverse(arguments.begin(), arguments.end());
    try {
      program_.parse(arguments);
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return "";
  }

  std::string ParseFile(const std::string& text) {
    return Parse({"--config", Write(text)});
  }

  TemporaryFolder folder_;
  CLI::App program_;
  std::string name_ = "default";
  int how_many_ = 1;
  double share_ = 0;
  std::vector<std::string> labels_;
  std::string view_;
  bool fast_ = false;
  std::string positional_;
};

TEST_F(SettingsTest, AFileHasValuesOfEachKind) {
  EXPECT_EQ(ParseFile("name = \"a b\"\n"
                      "how-many = 3\n"
                      "share = 0.5\n"
                      "# a comment\n"
                      "label = [\"k=v\", 'l=w']\n"
                      "view = \"cpu\"\n"
                      "fast = true\n"),
            "");
  EXPECT_EQ(name_, "a b");
  EXPECT_EQ(how_many_, 3);
  EXPECT_EQ(share_, 0.5);
  EXPECT_THAT(labels_, ElementsAre("k=v", "l=w"));
  EXPECT_EQ(view_, "cpu");
  EXPECT_TRUE(fast_);
}

TEST_F(SettingsTest, FlagsStandBeforeVariablesBeforeTheFile) {
  SetVariable("NAME", "of variable");
  SetVariable("HOW_MANY", "5");
  SetVariable("LABEL", "v=1,w=2");
  EXPECT_EQ(Parse({"--how-many", "7", "--config",
                   Write("name = \"of file\"\nhow-many = 3\nlabel = \"f=1\"\n"
                         "view = \"cpu\"\n"),
                   "--view", "wall"}),
            "");
  EXPECT_EQ(name_, "of variable");
  EXPECT_EQ(how_many_, 7);
  EXPECT_THAT(labels_, ElementsAre("v=1", "w=2"));
  EXPECT_EQ(view_, "wall");
}

TEST_F(SettingsTest, EmptyVariablesAreNone) {
  SetVariable("NAME", "");
  EXPECT_EQ(ParseFile("name = \"of file\"\n"), "");
  EXPECT_EQ(name_, "of file");
}

TEST_F(SettingsTest, TheFileCanBeNamedByAVariable) {
  SetVariable("CONFIG", Write("name = \"of file\"\n"));
  EXPECT_EQ(Parse({}), "");
  EXPECT_EQ(name_, "of file");
  EXPECT_EQ(how_many_, 1);
}

TEST_F(SettingsTest, EmptyStringsAreValues) {
  EXPECT_EQ(ParseFile("name = \"\"\n"), "");
  EXPECT_EQ(name_, "");
}

TEST_F(SettingsTest, ErrorsNameFileLineAndKey) {
  const struct {
    const char* text;
    const char* error;
  } rows[] = {
      {"name = \"x\"\nnames = \"y\"\n", ":2: there is no option names"},
      {"\n\nhow-many = 0\n", ":3: how-many: "},
      {"how-many = \"x\"\n", ":1: how-many: "},
      {"how-many = 1.5\n", ":1: how-many: "},
      {"how-many = [1, 2]\n", ":1: how-many is one value"},
      {"label = []\n", ":1: label has no value"},
      {"view = \"blocked\"\n", ":1: view: "},
      {"fast = \"maybe\"\n", ":1: fast: "},
      {"name = 2026-01-02\n", ":1: name must be a string"},
      {"[verb]\nname = \"x\"\n", ":1: there is no option verb"},
      {"name = { a = 1 }\n", ":1: name must be a string"},
      {"label = [[\"x\"]]\n", ":1: label must be a string"},
      {"name = \"x\nhow-many = 1\n", ":1: "},
      {"name = \"x\"\nname = \"y\"\n", ":2: "},
      {"file = \"x\"\n", ":1: there is no option file"},
      {"help = true\n", ":1: there is no option help"},
      {"config = \"x\"\n", ":1: there is no option config"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(ParseFile(row.text),
                StartsWith(folder_.PathOf(kFile) + row.error))
        << row.text;
  }
}

TEST_F(SettingsTest, WhatIsWrongInTheFileIsToldThoughAFlagStandsBeforeIt) {
  EXPECT_THAT(Parse({"--how-many", "7", "--name", "n", "--config",
                     Write("how-many = 0\n")}),
              HasSubstr(":1: how-many: "));
}

TEST_F(SettingsTest, WhatIsRequiredMustBeSomewhere) {
  EXPECT_THAT(ParseFile("how-many = 3\n"), HasSubstr("--name is required"));
}

TEST_F(SettingsTest, AFileThatIsNotThereIsAnError) {
  const std::string path = folder_.PathOf("none");
  EXPECT_THAT(Parse({"--name", "n", "--config", path}),
              StartsWith(path + ": "));
}

TEST(DurationTest, IsAboveZero) {
  for (const char* good : {"10s", "1m30s", "0.5s", "24h"}) {
    EXPECT_THAT(CheckDuration(good), IsEmpty()) << good;
  }
  EXPECT_EQ(DurationOf("1m30s"), absl::Seconds(90));
  for (const char* bad : {"", "10", "0s", "-1s", "1 hour", "s"}) {
    EXPECT_THAT(CheckDuration(bad), HasSubstr("is not a duration")) << bad;
  }
}

// The verbs that have settings.
TEST(VerbSettingsTest, AgentAndCollectReadFilesAndVariables) {
  TemporaryFolder folder;
  const std::string path = folder.PathOf("x.toml");
  std::ofstream(path) << "\ninterval = \"soon\"\n";
  ShellResult agent =
      RunShell(std::string(WALLPROF) + " agent --config " + path);
  EXPECT_EQ(agent.exit_status, 2);
  EXPECT_THAT(agent.output, StartsWith("wallprof: " + path + ":2: interval: "));
  ShellResult collect = RunShell("WALLPROF_COLLECT_CONFIG=" + path + " " +
                                 WALLPROF + " collect --dir " + path);
  EXPECT_EQ(collect.exit_status, 2);
  EXPECT_THAT(collect.output, StartsWith("wallprof: " + path +
                                         ":2: there is no option interval\n"));
  // --help shows whatever the file is like.
  EXPECT_EQ(RunShell("WALLPROF_COLLECT_CONFIG=" + path + " " + WALLPROF +
                     " collect --help")
                .exit_status,
            0);
}

}  // namespace
}  // namespace wallprof::cli
