// Filters and differences leave what those of Go's pprof leave.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/encode/shell.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/filter.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof::cli {
namespace {

// A line for each sample: frames with inlined ones in brackets, values and
// labels. Ids and orders, which carry no meaning, do not show.
std::string TextOf(const Profile& profile) {
  std::vector<std::string> lines;
  for (const Sample& sample : profile.samples) {
    std::string line;
    for (uint64_t id : sample.location_ids) {
      const Location& location = profile.locations[id - 1];
      absl::StrAppend(&line, location.address, "[");
      for (const Line& each : location.lines) {
        absl::StrAppend(&line, profile.functions[each.function_id - 1].name,
                        " ");
      }
      absl::StrAppend(&line, "] ");
    }
    absl::StrAppend(&line, absl::StrJoin(sample.values, ","));
    for (const Label& label : sample.labels) {
      absl::StrAppend(&line, " ", label.key, "=", label.text, label.number,
                      label.unit);
    }
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return absl::StrJoin(lines, "\n");
}

// Stacks of ten functions in two files, some inlined, some known by address
// alone, on threads, with a size.
Profile RandomProfile(int seed) {
  std::mt19937 random(seed);
  Profile profile = WallProfile({});
  profile.time = absl::FromUnixSeconds(1'700'000'000);
  profile.mappings = {{1, 0x1000, 0x2000, 0, "/bin/demo", "", true},
                      {2, 0x8000, 0x9000, 0, "/lib/libnet.so", "", true}};
  const char* names[] = {"main",
                         "Serve(int)",
                         "std::sort<int>(int*)",
                         "net::Read()",
                         "net::Write()",
                         "lock",
                         "unlock",
                         "operator()(int)",
                         "Parse",
                         "(anonymous namespace)::Work(char)"};
  for (const char* name : names) {
    uint64_t id = profile.functions.size() + 1;
    profile.functions.push_back(
        {id, name, absl::StrCat("_Z", id), id % 2 ? "/src/a.cc" : "/src/b.cc"});
  }
  for (uint64_t id = 1; id <= 16; ++id) {
    Location location{id, id % 2 + 1, (id % 2 ? 0x8000 : 0x1000) + id, {}};
    for (size_t lines = random() % 4; lines > 0; --lines) {
      location.lines.push_back({random() % 10 + 1, 7});
    }
    profile.locations.push_back(location);
  }
  for (int i = 0; i < 60; ++i) {
    Sample sample;
    for (size_t depth = random() % 7 + 1; depth > 0; --depth) {
      sample.location_ids.push_back(random() % 16 + 1);
    }
    int64_t wall = random() % 10000 + 1;
    sample.values = {1, static_cast<int64_t>(random() % wall), wall};
    sample.labels = {
        {"thread", absl::StrCat("worker-", random() % 3)},
        {"bytes", "", static_cast<int64_t>(random() % 9 + 1) << 10, "bytes"}};
    profile.samples.push_back(sample);
  }
  return profile;
}

class GoFiltersTest : public testing::Test {
 protected:
  GoFiltersTest() {
    EXPECT_EQ(WriteFile(a_, Path("a.pb.gz")), absl::OkStatus());
    EXPECT_EQ(WriteFile(b_, Path("b.pb.gz")), absl::OkStatus());
  }

  std::string Path(const std::string& name) { return folder_.PathOf(name); }

  // What the command leaves in out.pb.gz, samples of one kind added up.
  Profile Output(const std::string& command) {
    ShellResult result =
        RunShell("cd " + Path("") + " && rm -f out.pb.gz && " + command);
    EXPECT_EQ(result.exit_status, 0) << result.output;
    absl::StatusOr<Profile> profile = DecodePprof(ReadWhole(Path("out.pb.gz")));
    EXPECT_TRUE(profile.ok()) << profile.status();
    return *Merge(std::vector{*profile});
  }

  Profile Go(const std::string& arguments) {
    return Output("HOME=" + Path("") +
                  " go tool pprof -symbolize=none -proto -output out.pb.gz " +
                  arguments);
  }

  Profile a_ = RandomProfile(1);
  Profile b_ = RandomProfile(2);
  TemporaryFolder folder_;
};

TEST_F(GoFiltersTest, FiltersLeaveTheSame) {
  // With frames of which only the file is known, --show is ours alone.
  for (const char* filters :
       {"focus='^net::' ignore=lock", "ignore=b.cc hide='sort|Read'",
        "focus=Work show='main|Parse|Serve'", "show-from='Serve|/libnet'",
        "hide=libnet", "tagfocus=thread=worker-[01] tagignore='thread:.*1'",
        "tagfocus=bytes=2kb:5kb", "tagignore=bytes=:3072bytes",
        "prune-from='^net::Read$|Work'"}) {
    std::string ours;
    std::string theirs;
    for (absl::string_view filter : absl::StrSplit(filters, ' ')) {
      absl::StrAppend(&ours, " --", filter);
      std::string option(filter);
      std::replace(option.begin(), option.begin() + option.find('='), '-', '_');
      absl::StrAppend(&theirs, " -", option);
    }
    std::string left = TextOf(
        Output(absl::StrCat(WALLPROF, " convert", ours, " a.pb.gz out.pb.gz")));
    EXPECT_EQ(left, TextOf(Go(theirs + " a.pb.gz"))) << filters;
    EXPECT_NE(left, "");
    EXPECT_NE(left, TextOf(*Merge(std::vector{a_})));
  }
}

TEST_F(GoFiltersTest, PruningByTheProfilesOwnWordLeavesTheSame) {
  a_.drop_frames = "net::.*|Parse|operator\\(\\)";
  a_.keep_frames = "net::Write";
  ASSERT_EQ(WriteFile(a_, Path("a.pb.gz")), absl::OkStatus());
  EXPECT_EQ(TextOf(Output(WALLPROF " convert --prune a.pb.gz out.pb.gz")),
            TextOf(Go("a.pb.gz")));
}

TEST_F(GoFiltersTest, DifferencesAreTheSame) {
  EXPECT_EQ(TextOf(Output(WALLPROF " diff -o out.pb.gz a.pb.gz b.pb.gz")),
            TextOf(Go("-diff_base a.pb.gz b.pb.gz")));
  // pprof scales what comes after, not the base.
  absl::StatusOr<Profile> scaled = Normalize(b_, a_);
  ASSERT_TRUE(scaled.ok()) << scaled.status();
  absl::StatusOr<Profile> diff = Diff(a_, *scaled, {.label_base = true});
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(TextOf(*diff), TextOf(Go("-normalize -diff_base a.pb.gz b.pb.gz")));
}

// docs/formats.md names these.
TEST_F(GoFiltersTest, WhereOursDifferIsKnown) {
  const std::string ours = WALLPROF " convert ";
  EXPECT_TRUE(Go("-tagfocus=bytes=4096 a.pb.gz").samples.empty());
  EXPECT_FALSE(
      Output(ours + "--tagfocus bytes=4096 a.pb.gz out.pb.gz").samples.empty());

  Profile place = WallProfile({{{"main"}, {1, 0, 1}}});
  place.mappings = {{1, 0x1000, 0x2000, 0, "/bin/demo"}};
  place.locations[0] = {1, 1, 0x1234};
  place.samples.push_back({{}, {1, 0, 5}});
  ASSERT_EQ(WriteFile(place, Path("place.pb.gz")), absl::OkStatus());
  EXPECT_TRUE(Go("-show=demo place.pb.gz").samples.empty());
  EXPECT_EQ(Output(ours + "--show demo place.pb.gz out.pb.gz").samples.size(),
            1);
  EXPECT_EQ(Go("-hide=none place.pb.gz").samples.size(), 1);
  EXPECT_EQ(Output(ours + "--hide none place.pb.gz out.pb.gz").samples.size(),
            2);
}

}  // namespace
}  // namespace wallprof::cli
