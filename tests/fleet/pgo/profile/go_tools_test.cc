// A base says what Go's own tools would say of the profiles that are in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "fleet/pgo/profile/combine.h"
#include "fleet/pgo/profile/part.h"
#include "fleet/pgo/profile/prune_rules.h"
#include "tests/encode/shell.h"
#include "tests/fleet/pgo/profile/cpu_profiles.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {
namespace {

using testing::HasSubstr;

constexpr int kProfiles = 4;

std::string Shell(const std::string& command) {
  const ShellResult result = RunShell(command);
  EXPECT_EQ(result.exit_status, 0) << command << "\n" << result.output;
  return result.output;
}

constexpr char kGo[] = "GOCACHE=" GO_CACHE " GO111MODULE=off GOFLAGS= ";

// pprof saves its settings in the home folder.
std::string Pprof(const std::string& arguments) {
  TemporaryFolder home;
  return Shell("TZ=UTC HOME=" + home.PathOf("") +
               " go tool pprof -symbolize=none " + arguments);
}

std::vector<std::string> PathsIn(const TemporaryFolder& folder, int count) {
  std::vector<std::string> paths;
  for (int i = 0; i < count; ++i) {
    paths.push_back(folder.PathOf(absl::StrCat(i, ".pb.gz")));
  }
  return paths;
}

// Of profiles as they were uploaded.
std::string BaseOf(const std::vector<std::string>& paths) {
  PartSum sum;
  for (const std::string& path : paths) {
    const auto accepted = AcceptProfile(ReadWhole(path), "v1");
    EXPECT_TRUE(accepted.ok()) << accepted.status();
    if (!accepted.ok()) return {};
    const auto staged = ReadStaged(accepted->bytes, absl::Now());
    EXPECT_TRUE(staged.ok() && sum.Add(staged->message).ok());
  }
  const absl::StatusOr<std::string> part = std::move(sum).Finish();
  EXPECT_TRUE(part.ok()) << part.status();
  if (!part.ok()) return {};
  const auto base = CombineParts({{*part, 1}}, "app", {});
  EXPECT_TRUE(base.ok()) << base.status();
  return base.ok() ? base->bytes : std::string();
}

// Go 1.19 does not write where functions begin, which its compiler, from 1.20
// on, reads: each gets a line that depends on its name.
void AddStartLines(const std::string& path) {
  absl::StatusOr<Profile> profile = DecodePprof(ReadWhole(path));
  ASSERT_TRUE(profile.ok()) << profile.status();
  for (Function& function : profile->functions) {
    function.start_line = 1 + static_cast<int64_t>(function.name.size() % 7);
  }
  WriteWhole(path, EncodePprof(*profile));
}

// The sum for each stack of functions with their lines and addresses.
std::map<std::string, std::vector<int64_t>> StacksOf(const Profile& profile) {
  std::map<uint64_t, const Function*> functions;
  std::map<uint64_t, const Mapping*> mappings;
  std::map<uint64_t, std::string> locations;
  for (const auto& function : profile.functions) {
    functions[function.id] = &function;
  }
  for (const auto& mapping : profile.mappings) mappings[mapping.id] = &mapping;
  for (const Location& location : profile.locations) {
    std::string& text = locations[location.id];
    uint64_t address = location.address;
    if (const Mapping* mapping = mappings[location.mapping_id]) {
      absl::StrAppend(&text, mapping->filename, "+");
      address -= mapping->start;
    }
    absl::StrAppend(&text, address);
    for (const Line& line : location.lines) {
      const Function& function = *functions[line.function_id];
      absl::StrAppend(&text, " ", function.name, "|", function.system_name, "|",
                      function.filename, "|", function.start_line, "|",
                      line.line);
    }
  }
  std::map<std::string, std::vector<int64_t>> stacks;
  for (const Sample& sample : profile.samples) {
    std::string stack;
    for (uint64_t id : sample.location_ids) {
      absl::StrAppend(&stack, locations[id], "\n");
    }
    std::vector<int64_t>& sums = stacks[stack];
    sums.resize(sample.values.size());
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += sample.values[i];
  }
  return stacks;
}

class GoToolsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    Shell(absl::StrCat(kGo, "go run " TESTDATA "/work.go ", kProfiles, " ",
                       folder_->PathOf("")));
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string PathOf(const std::string& name) {
    return folder_->PathOf(name);
  }

  static TemporaryFolder* folder_;
};

TemporaryFolder* GoToolsTest::folder_ = nullptr;

TEST_F(GoToolsTest, ABaseIsWhatGoMakesOfItsProfiles) {
  const std::vector<std::string> paths = PathsIn(*folder_, kProfiles);
  WriteWhole(PathOf("ours.pgo"), BaseOf(paths));
  Pprof("-proto -output " + PathOf("theirs.pgo") + " " +
        absl::StrJoin(paths, " "));
  const Profile ours = *DecodePprof(ReadWhole(PathOf("ours.pgo")));
  const Profile theirs = *DecodePprof(ReadWhole(PathOf("theirs.pgo")));
  EXPECT_GT(ours.samples.size(), 10);
  for (const Sample& sample : ours.samples) EXPECT_TRUE(sample.labels.empty());
  EXPECT_EQ(StacksOf(ours), StacksOf(theirs));
  EXPECT_EQ(ours.sample_types, theirs.sample_types);
  EXPECT_EQ(ours.period_type, theirs.period_type);
  EXPECT_EQ(ours.period, theirs.period);
  EXPECT_EQ(ours.time, theirs.time);
  EXPECT_EQ(ours.duration, theirs.duration);
  std::vector<std::string> shuffled = paths;
  std::reverse(shuffled.begin(), shuffled.end());
  EXPECT_EQ(BaseOf(shuffled), ReadWhole(PathOf("ours.pgo")));
  for (const char* view :
       {"-top -lines -nodecount=9999 -nodefraction=0 ", "-top -sample_index=0 ",
        "-peek . ", "-tree -addresses -nodefraction=0 -edgefraction=0 "}) {
    const std::string shown = Pprof(view + PathOf("ours.pgo"));
    EXPECT_THAT(shown, HasSubstr("main.")) << view;
    EXPECT_EQ(shown, Pprof(view + PathOf("theirs.pgo"))) << view;
  }
}

TEST_F(GoToolsTest, ABaseGivesGosCompilerTheSumOfItsProfiles) {
  std::vector<std::string> paths = PathsIn(*folder_, kProfiles);
  for (std::string& path : paths) {
    const std::string with_lines = path + ".lines";
    WriteWhole(with_lines, ReadWhole(path));
    path = with_lines;
    AddStartLines(path);
  }
  WriteWhole(PathOf("lines.pgo"), BaseOf(paths));
  const std::string edges = "python3 " GO_EDGES " ";
  const std::string of_base = Shell(edges + PathOf("lines.pgo"));
  EXPECT_THAT(of_base, HasSubstr("main.less main.mix"));
  EXPECT_EQ(of_base, Shell(edges + absl::StrJoin(paths, " ")));
}

// Names with what pprof's Prune takes off or leaves, and patterns for them.
const char* const kNames[] = {"main.main",        "main.(*T).Run",
                              "runtime.mallocgc", "runtime.gcDrain",
                              "ns::f(int, long)", "(anonymous namespace)::g()",
                              "operator()(x)",    ".dotted(int)"};
const char* const kPatterns[] = {"runtime",  "^main\\.", "f",
                                 "g",        "Run$",     "anonymous",
                                 "operator", "^dotted",  "int"};

TEST(GoPruneTest, RulesPruneAsGosPackageDoes) {
  constexpr int kCount = 200;
  TemporaryFolder folder;
  std::mt19937 random(6);
  std::vector<Profile> expected;
  for (int i = 0; i < kCount; ++i) {
    Profile profile = RandomCpuProfile(random);
    // No labels: ours are added up as those of a base are.
    for (Sample& sample : profile.samples) sample.labels.clear();
    for (Function& function : profile.functions) {
      function.name = kNames[random() % std::size(kNames)];
    }
    const std::string drop = kPatterns[random() % std::size(kPatterns)];
    const std::string keep =
        random() % 2 == 0 ? "" : kPatterns[random() % std::size(kPatterns)];
    const std::string name = folder.PathOf(absl::StrCat(i));
    WriteWhole(name + ".pb.gz", EncodePprof(profile));
    WriteWhole(name + ".rule", drop + "\n" + keep);
    std::string text = absl::StrCat(R"([{"app": "shop", "rules": [{"drop": ")",
                                    drop, R"(", "keep": ")", keep, R"("}]}])");
    absl::StrReplaceAll({{"\\", "\\\\"}}, &text);
    const auto rules = PruneRules::Parse(text, "rules.json");
    ASSERT_TRUE(rules.ok()) << rules.status();
    expected.push_back(*rules->Apply("shop", profile));
  }
  // pprof's package comes with Go, where only Go's own commands may use it.
  const std::string package = "/src/github.com/google/pprof";
  Shell("mkdir -p " + folder.PathOf(package) +
        " && cp -r \"$(go env GOROOT)/src/cmd/vendor/github.com/google/pprof/"
        "profile\" " +
        folder.PathOf(package) + " && GOPATH=" + folder.PathOf("") + " " + kGo +
        absl::StrCat("go run " TESTDATA "/prune.go ", kCount, " ",
                     folder.PathOf("")));
  int changed = 0;
  for (int i = 0; i < kCount; ++i) {
    const std::string name = folder.PathOf(absl::StrCat(i));
    const auto theirs = DecodePprof(ReadWhole(name + ".pruned.pb.gz"));
    ASSERT_TRUE(theirs.ok()) << theirs.status();
    EXPECT_EQ(StacksOf(expected[i]), StacksOf(*theirs))
        << ReadWhole(name + ".rule");
    EXPECT_EQ(expected[i].functions.size(), theirs->functions.size());
    const Profile before = *DecodePprof(ReadWhole(name + ".pb.gz"));
    changed += StacksOf(before) != StacksOf(*theirs) ? 1 : 0;
  }
  EXPECT_GT(changed, kCount / 10);
}

}  // namespace
}  // namespace wallprof::pgo
