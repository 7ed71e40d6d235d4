// What is in a bundle, and what becomes of it when something fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/fleet/bundle/checked_entries.h"
#include "tests/fleet/bundle/fake_source.h"
#include "wallprof/bundle.h"
#include "wallprof/formats.h"
#include "wallprof/variables.h"

namespace wallprof::bundle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

// What there is when everything is.
const std::vector<std::string> kAll = {
    "meta",          "expvar",        "pprof/heap",   "heap.json",
    "threads.json",  "custom/a",      "custom/b%2Fc", "pprof/wall",
    "pprof/profile", "pprof/lockwait"};

DataSource SourceOf(const std::string& name, const std::string& bytes) {
  return {name, [bytes](const BundleSink& sink) { return sink(bytes); }};
}

class BundlePartsTest : public ::testing::Test {
 protected:
  BundlePartsTest() {
    options_.profile = absl::Seconds(5);
    options_.sources = {SourceOf("b/c", "2"), SourceOf("a", "1")};
    options_.heap = [](const BundleSink& sink) { return sink("a heap"); };
    // Whatever the allocator is: a sanitizer's has none.
    options_.heap_statistics = [] {
      return std::string(R"({"used_bytes": 7})");
    };
  }

  Entries Write() {
    bytes_.clear();
    report_ = WriteBundle(source_, options_, [this](std::string_view more) {
      bytes_.append(more);
      return absl::OkStatus();
    });
    EXPECT_TRUE(report_.ok()) << report_.status();
    return ReadZip(bytes_);
  }

  static nlohmann::ordered_json MetaOf(const Entries& entries) {
    return nlohmann::ordered_json::parse(EntryOf(entries, "meta"));
  }

  static nlohmann::json PartOf(const Entries& entries,
                               const std::string& name) {
    const nlohmann::ordered_json meta = MetaOf(entries);
    for (const auto& part : meta["parts"]) {
      if (part["name"] == name) return part;
    }
    ADD_FAILURE() << "nothing is said of " << name;
    return {};
  }

  // Everything is there but `missing`, of which meta says `why`.
  void ExpectOnlyMissing(const Entries& entries, const std::string& missing,
                         const std::string& why) {
    SCOPED_TRACE(missing);
    std::vector<std::string> names = kAll;
    names.erase(std::find(names.begin(), names.end(), missing));
    EXPECT_EQ(NamesOf(entries), names);
    const nlohmann::json part = PartOf(entries, missing);
    EXPECT_EQ(part["status"], "skipped");
    EXPECT_THAT(std::string(part["why"]), HasSubstr(why));
    for (const std::string& name : names) {
      if (name == "meta") continue;
      EXPECT_EQ(PartOf(entries, name)["status"], "taken") << name;
    }
  }

  FakeSource source_;
  BundleOptions options_;
  std::string bytes_;
  absl::StatusOr<BundleReport> report_;
};

TEST_F(BundlePartsTest, HasAllPartsInTheirOrder) {
  const Entries entries = Write();
  EXPECT_EQ(NamesOf(entries), kAll);
  EXPECT_EQ(EntryOf(entries, "pprof/heap"), "a heap");
  EXPECT_EQ(EntryOf(entries, "custom/b%2Fc"), "2");
  EXPECT_EQ(DecodePprof(EntryOf(entries, "pprof/wall"))->period, 1);
  EXPECT_EQ(DecodePprof(EntryOf(entries, "pprof/profile"))->period, 2);
  EXPECT_EQ(DecodePprof(EntryOf(entries, "pprof/lockwait"))->period, 3);
  EXPECT_GT(nlohmann::json::parse(EntryOf(entries, "heap.json"))["used_bytes"],
            0);
  EXPECT_EQ(nlohmann::json::parse(
                EntryOf(entries, "threads.json"))["threads"][0]["tid"],
            7);
  EXPECT_EQ(report_->bytes, static_cast<int64_t>(bytes_.size()));
  EXPECT_EQ(report_->parts.size(), kAll.size() - 1);
}

TEST_F(BundlePartsTest, MetaSaysWhereItCameFrom) {
  options_.identity.program = "example.com/cmd/search";
  options_.identity.version = "v1.2";
  const nlohmann::ordered_json meta = MetaOf(Write());
  std::vector<std::string> keys;
  for (const auto& [key, value] : meta.items()) keys.push_back(key);
  EXPECT_THAT(
      keys, ElementsAre("main", "revision", "go_version", "hostname", "proc_id",
                        "init_time", "capture_time", "build_id", "parts"));
  EXPECT_EQ(meta["main"], "example.com/cmd/search");
  EXPECT_EQ(meta["revision"], "v1.2");
  EXPECT_EQ(meta["go_version"], "");
  EXPECT_EQ(meta["hostname"], CurrentIdentity().host);
  EXPECT_EQ(meta["proc_id"], CurrentIdentity().process);
  for (const char* time : {"init_time", "capture_time"}) {
    EXPECT_THAT(std::string(meta[time]),
                MatchesRegex("[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z"));
  }
  for (const auto& part : meta["parts"]) {
    EXPECT_GE(part["took_ns"], part["cpu_ns"].get<int64_t>() / 2);
    EXPECT_GT(part["bytes"], 0);
  }
}

TEST_F(BundlePartsTest, WithoutTimeItIsThereAtOnce) {
  options_.profile = absl::ZeroDuration();
  source_.on_collect = [](absl::Duration) { ADD_FAILURE() << "measured"; };
  ExpectOnlyMissing(Write(), "pprof/profile", "no time was asked for");
}

TEST_F(BundlePartsTest, MeasuresForTheTimeAskedFor) {
  absl::Duration measured;
  source_.on_collect = [&](absl::Duration time) { measured += time; };
  Write();
  EXPECT_EQ(measured, absl::Seconds(5)) << "once, for all three";
}

TEST_F(BundlePartsTest, AProfileThatFailsCostsItself) {
  const std::pair<View, const char*> views[] = {
      {View::kWall, "pprof/wall"},
      {View::kCpu, "pprof/profile"},
      {View::kBlockedBy, "pprof/lockwait"}};
  for (const auto& [view, part] : views) {
    FakeSource whole;
    source_.profiles = whole.profiles;
    source_.profiles.at(view) = absl::InternalError("broken view");
    ExpectOnlyMissing(Write(), part, "broken view");
  }
}

TEST_F(BundlePartsTest, ThreadsThatFailCostThemselves) {
  source_.threads.clear();
  ExpectOnlyMissing(Write(), "threads.json", "stopped");
}

TEST_F(BundlePartsTest, AHeapThatFailsCostsItself) {
  options_.heap = [](const BundleSink&) {
    return absl::UnavailableError("not sampled");
  };
  ExpectOnlyMissing(Write(), "pprof/heap", "not sampled");
}

TEST_F(BundlePartsTest, HeapStatisticsThatFailCostThemselves) {
  options_.heap_statistics = []() -> absl::StatusOr<std::string> {
    throw std::runtime_error("no heap here");
  };
  ExpectOnlyMissing(Write(), "heap.json", "it threw no heap here");
}

TEST_F(BundlePartsTest, ASourceThatFailsAfterSomeBytesCostsItself) {
  options_.sources[0].write = [](const BundleSink& sink) {
    if (absl::Status s = sink("half of "); !s.ok()) return s;
    return absl::DataLossError("the other half is gone");
  };
  ExpectOnlyMissing(Write(), "custom/b%2Fc", "the other half is gone");
  EXPECT_THAT(bytes_, ::testing::Not(HasSubstr("half of ")));
}

TEST_F(BundlePartsTest, ASourceThatThrowsCostsItself) {
  options_.sources[1].write = [](const BundleSink&) -> absl::Status {
    throw 1;
  };
  ExpectOnlyMissing(Write(), "custom/a", "it threw");
}

TEST_F(BundlePartsTest, APartThatIsTooLargeCostsItself) {
  options_.max_part_bytes = 4096;
  int refused = 0;
  options_.sources[1].write = [&refused](const BundleSink& sink) {
    // Goes on regardless.
    for (int i = 0; i < 100; ++i) refused += !sink(std::string(100, 'x')).ok();
    return absl::OkStatus();
  };
  ExpectOnlyMissing(Write(), "custom/a", "more than 4096 bytes");
  EXPECT_EQ(refused, 60);
}

TEST_F(BundlePartsTest, ABundleThatIsFullLosesPartsAndStaysWhole) {
  options_.max_bytes = 256 << 10;
  options_.sources.clear();
  for (int i = 0; i < 10; ++i) {
    options_.sources.push_back(
        SourceOf(absl::StrCat("source", i), std::string(50 << 10, 'x')));
  }
  const Entries entries = Write();
  EXPECT_LE(bytes_.size(), 256u << 10);
  EXPECT_EQ(PartOf(entries, "custom/source0")["status"], "taken");
  EXPECT_EQ(PartOf(entries, "custom/source9")["why"],
            "the bundle is as large as it may be");
  EXPECT_EQ(PartOf(entries, "pprof/lockwait")["status"], "taken");
}

TEST_F(BundlePartsTest, AVariableThatFailsCostsItself) {
  const Variable good("good", [] { return "{\"n\": 1}"; });
  const Variable bad("bad", [] { return "{'n': 1}"; });
  const Variable thrower(
      "thrower", []() -> std::string { throw std::runtime_error("no value"); });
  const Entries entries = Write();
  const auto variables = nlohmann::json::parse(EntryOf(entries, "expvar"));
  EXPECT_EQ(variables["good"]["n"], 1);
  EXPECT_FALSE(variables.contains("bad"));
  EXPECT_EQ(PartOf(entries, "expvar")["status"], "taken");
  EXPECT_EQ(PartOf(entries, "expvar")["why"],
            "left out: bad: not JSON; thrower: threw no value");
}

TEST_F(BundlePartsTest, ASinkThatFailsEndsTheBundleWithItsError) {
  Write();
  const size_t whole = bytes_.size();
  for (size_t bound = 0; bound < whole; bound += whole / 50) {
    size_t written = 0;
    int calls_after = -1;
    const auto report =
        WriteBundle(source_, options_, [&](std::string_view more) {
          if (calls_after >= 0 || written + more.size() > bound) {
            ++calls_after;
            return absl::ResourceExhaustedError("disk full");
          }
          written += more.size();
          return absl::OkStatus();
        });
    EXPECT_EQ(report.status(), absl::ResourceExhaustedError("disk full"));
    EXPECT_EQ(calls_after, 0) << "nothing more is written after an error";
  }
}

TEST_F(BundlePartsTest, WhoeverLeavesEndsIt) {
  bool gone = false;
  options_.cancelled = [&gone] { return gone; };
  source_.on_collect = [&gone](absl::Duration) { gone = true; };
  bool ended = false;
  const auto report =
      WriteBundle(source_, options_, [&](std::string_view bytes) {
        ended = ended || bytes.substr(0, 4) == "PK\x01\x02";
        return absl::OkStatus();
      });
  EXPECT_EQ(report.status().code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(ended) << "what cannot be read is not called whole";
}

TEST_F(BundlePartsTest, OptionsAreCheckedBeforeAnythingIsWritten) {
  const auto why = [this] {
    const auto report = WriteBundle(source_, options_, [](std::string_view) {
      ADD_FAILURE() << "written";
      return absl::OkStatus();
    });
    EXPECT_EQ(report.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(report.status().message());
  };
  options_.sources[0].name = "a";
  EXPECT_EQ(why(), "two sources are named a");
  options_.sources[0].name = "";
  EXPECT_THAT(why(), HasSubstr("1 to 200 bytes"));
  options_.sources[0] = {"c", nullptr};
  EXPECT_EQ(why(), "source c has no function");
  options_.sources.clear();
  options_.profile = -absl::Seconds(1);
  EXPECT_THAT(why(), StartsWith("profile "));
  options_.profile = absl::ZeroDuration();
  options_.max_bytes = 1;
  EXPECT_THAT(why(), StartsWith("max_part_bytes "));
}

}  // namespace
}  // namespace wallprof::bundle
