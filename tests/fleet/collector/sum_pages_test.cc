// Sums, tables, pictures and differences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/fleet/collector/api.h"

namespace wallprof::collector {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class SumTest : public ApiTest {
 protected:
  // A profile of shop in every minute from kNight on.
  void UploadMinutes(int minutes, const std::string& host = "db-1") {
    for (int i = 0; i < minutes; ++i) {
      Upload(absl::StrCat("service=shop&type=wall&labels=host%3D", host),
             PprofOf(absl::StrCat("main;work ", i + 1, "\n"),
                     kNight + absl::Minutes(i)));
    }
  }

  HttpResponse Ask(const std::string& path, const std::string& query = "") {
    return Get(absl::StrCat("/api/0/", path, "?service=shop&type=wall&", kHour,
                            query.empty() ? "" : "&", query));
  }
};

TEST_F(SumTest, MergeAddsUpWhatMatches) {
  UploadMinutes(4);
  const HttpResponse response = Ask("profiles/merge");
  EXPECT_EQ(FoldedOf(response), "main;work 10\n");
  EXPECT_EQ(response.headers.count("X-Wallprof-Warning"), 0u);
  EXPECT_EQ(response.headers.at("Content-Disposition"),
            "attachment; filename=\"wall\"");
  const absl::StatusOr<Profile> sum = DecodePprof(response.body);
  EXPECT_EQ(sum->duration, absl::Seconds(40));
  EXPECT_EQ(sum->time, kNight);
}

TEST_F(SumTest, MergeOfManyIsTheSameOnManyThreads) {
  UploadMinutes(40);
  EXPECT_EQ(FoldedOf(Ask("profiles/merge")), "main;work 820\n");
}

TEST_F(SumTest, MergeWantsATypeThatCanBeAddedUp) {
  Upload("service=shop&type=trace&created_at=2026-01-02T03:12:00", "trace");
  const auto error = [&](const std::string& query, int status) {
    return ErrorOf(
        Get(absl::StrCat("/api/0/profiles/merge?", query, "&", kHour)), status);
  };
  EXPECT_EQ(error("service=shop", 405), "can't merge profiles of unknown type");
  EXPECT_EQ(error("service=shop&type=trace", 405),
            "can't merge profiles of type \"trace\"");
  EXPECT_EQ(error("service=shop&type=cpu", 404), "nothing found");
  EXPECT_THAT(error("service=shop&type=dog", 400), HasSubstr("unknown"));
  EXPECT_THAT(error("type=cpu&query=a", 400), HasSubstr("the selector"));
}

TEST_F(SumTest, OfTooManySomeAreChosenEvenly) {
  UploadMinutes(30, "a");
  UploadMinutes(10, "b");
  options_.limits.merged = 8;
  collector_.reset();
  const HttpResponse response = Ask("profiles/merge");
  EXPECT_EQ(response.headers.at("X-Wallprof-Warning"),
            "the sum is of 8 profiles, chosen evenly from 40");
  EXPECT_EQ(Ask("profiles/merge").body, response.body) << "it is repeatable";
  EXPECT_EQ(DecodePprof(response.body)->duration, absl::Seconds(80));
  EXPECT_EQ(DecodePprof(Ask("profiles/merge", "limit=3").body)->duration,
            absl::Seconds(30));
}

TEST_F(SumTest, WhatCannotBeAddedIsLeftOutAndSaid) {
  UploadMinutes(2);
  Profile other = *DecodePprof(PprofOf("main;work 5\n"));
  other.sample_types[1].type = "sleep";
  other.default_sample_type = "sleep";
  other.time = kNight + absl::Minutes(3);
  Upload("service=shop&type=wall", EncodePprof(other));
  HttpResponse response = Ask("profiles/merge");
  EXPECT_EQ(FoldedOf(response), "main;work 3\n");
  EXPECT_THAT(
      response.headers.at("X-Wallprof-Warning"),
      StartsWith("1 of 3 profiles are left out, the first because of "));
  EXPECT_THAT(response.headers.at("X-Wallprof-Warning"),
              HasSubstr("incompatible sample types"));
}

TEST_F(SumTest, DamagedProfilesAreLeftOutToo) {
  UploadMinutes(2);
  const std::string id = Upload("service=shop&type=wall", PprofOf("a 1\n"));
  store_.Replace(id, "damaged");
  const HttpResponse response = Ask("profiles/merge");
  EXPECT_EQ(FoldedOf(response), "main;work 3\n");
  EXPECT_THAT(response.headers.at("X-Wallprof-Warning"), HasSubstr(id));
  store_.LoseBytes(id);
  EXPECT_EQ(Ask("profiles/merge").headers.count("X-Wallprof-Warning"), 0u)
      << "one that was removed meanwhile does not exist";
}

TEST_F(SumTest, WhereNothingCanBeAddedThatIsAnError) {
  const std::string id = Upload("service=shop&type=wall", PprofOf("a 1\n"));
  store_.Replace(id, "damaged");
  EXPECT_THAT(ErrorOf(Ask("profiles/merge"), 400),
              StartsWith("1 of 1 profiles are left out"));
}

TEST_F(SumTest, ADeadlineGivesWhatThereIs) {
  UploadMinutes(3);
  options_.limits.query_time = absl::Milliseconds(200);
  collector_.reset();
  int read = 0;
  store_.on_read = [&read] {
    if (++read == 2) absl::SleepFor(absl::Milliseconds(300));
  };
  const HttpResponse response = Ask("profiles/merge");
  EXPECT_EQ(FoldedOf(response), "main;work 3\n");
  EXPECT_EQ(response.headers.at("X-Wallprof-Warning"),
            "time was up after 2 of 3 profiles");
  options_.limits.query_time = absl::ZeroDuration();
  collector_.reset();
  EXPECT_EQ(ErrorOf(Ask("profiles/merge"), 503),
            "time was up after 0 of 3 profiles");
}

TEST_F(SumTest, AClientThatLeavesEndsIt) {
  UploadMinutes(3);
  int read = 0;
  store_.on_read = [&read] { ++read; };
  client_gone_ = [&read] { return read > 0; };
  EXPECT_EQ(Ask("profiles/merge").status, 499);
  EXPECT_EQ(read, 1);
}

TEST_F(SumTest, ASumThatIsTooLargeIsSaid) {
  UploadMinutes(3);
  options_.limits.merge_bytes = 100;
  collector_.reset();
  EXPECT_THAT(ErrorOf(Ask("profiles/merge"), 413),
              HasSubstr("ask for less time or fewer series"));
}

TEST_F(SumTest, OnlySomeMayRunAtOnce) {
  UploadMinutes(1);
  options_.limits.queries = 1;
  collector_.reset();
  HttpResponse inner;
  bool is_inner = false;
  store_.on_read = [&] {
    if (std::exchange(is_inner, true)) return;
    inner = Ask("profiles/merge");
  };
  EXPECT_EQ(Ask("profiles/merge").status, 200);
  EXPECT_EQ(inner.status, 429);
  EXPECT_EQ(inner.headers.count("Retry-After"), 1u);
  EXPECT_EQ(Ask("profiles/merge").status, 200) << "there is room again";
}

TEST_F(SumTest, TopGivesTheHeaviestFunctions) {
  Upload("service=shop&type=wall", PprofOf("main;a 30\nmain;b 60\nmain;c 1\n"));
  const nlohmann::json top = BodyOf(Ask("top", "n=2"));
  ASSERT_EQ(top["functions"].size(), 2u);
  EXPECT_EQ(top["functions"][0]["name"], "b");
  EXPECT_EQ(top["functions"][0]["flat"][1], 60'000);
  EXPECT_EQ(top["functions"][1]["name"], "a");
  EXPECT_EQ(top["totals"][1], 91'000);
  EXPECT_THAT(ErrorOf(Ask("top", "n=few"), 400), HasSubstr("\"n\""));
}

TEST_F(SumTest, TheLastHourIsMeantWhereNoTimeIsSaid) {
  Upload("service=shop&type=wall", PprofOf("new 1\n", kNow - absl::Minutes(5)));
  Upload("service=shop&type=wall", PprofOf("old 1\n", kNow - absl::Hours(2)));
  const nlohmann::json top = BodyOf(Get("/api/0/top?service=shop&type=wall"));
  ASSERT_EQ(top["functions"].size(), 1u);
  EXPECT_EQ(top["functions"][0]["name"], "new");
}

TEST_F(SumTest, FlameGraphIsATree) {
  Upload("service=shop&type=wall", PprofOf("main;a 30\nmain;b 60\n"));
  EXPECT_EQ(
      BodyOf(Ask("flamegraph")).dump(),
      R"({"children":[{"children":[{"name":"a","value":30},{"name":"b","value":60}],"name":"main","value":90}],"name":"root","value":90})");
}

TEST_F(SumTest, FlameGraphIsAPicture) {
  Upload("service=shop&type=wall", PprofOf("main;a 30\n"));
  const HttpResponse svg = Ask("flamegraph", "format=svg");
  EXPECT_EQ(svg.headers.at("Content-Type"), "image/svg+xml");
  EXPECT_THAT(svg.body, HasSubstr("shop, wall, 2026-01-02 03:00:00 to "
                                  "2026-01-02 04:00:00 UTC"));
  EXPECT_EQ(Ask("flamegraph", "format=folded").body, "main;a 30\n");
  EXPECT_THAT(Ask("flamegraph", "format=html").body, HasSubstr("<html"));
  EXPECT_THAT(Ask("flamegraph", "format=speedscope").body,
              HasSubstr("speedscope"));
  EXPECT_EQ(FoldedOf(Ask("flamegraph", "format=pprof")), "main;a 30\n");
  EXPECT_THAT(ErrorOf(Ask("flamegraph", "format=png"), 400),
              HasSubstr("bad \"format\" 'png'"));
  EXPECT_THAT(ErrorOf(Ask("flamegraph", "view=side"), 400),
              HasSubstr("bad \"view\" 'side'"));
  EXPECT_THAT(ErrorOf(Ask("flamegraph", "threads=2"), 400),
              HasSubstr("bad \"threads\""));
}

TEST_F(SumTest, DifferenceComparesTwoTimes) {
  Upload("service=shop&type=wall", PprofOf("main;a 30\n"));
  Upload("service=shop&type=wall",
         PprofOf("main;a 10\nmain;b 5\n", kNight - absl::Hours(2)));
  const std::string base =
      "base_from=2026-01-02T01:00:00&base_to=2026-01-02T02:00:00";
  const nlohmann::json table = BodyOf(Ask("diff", base));
  EXPECT_EQ(table["functions"][0]["name"], "a");
  EXPECT_EQ(table["functions"][0]["flat"][1], 20'000);
  EXPECT_EQ(table["functions"][1]["name"], "b");
  EXPECT_EQ(table["functions"][1]["flat"][1], -5'000);
  EXPECT_EQ(Ask("diff", base + "&format=folded").body,
            "main;a 10 30\nmain;b 5 0\n");
  EXPECT_THAT(Ask("diff", base + "&format=svg").body, HasSubstr("against"));
  EXPECT_EQ(ErrorOf(Ask("diff"), 400), "bad request: missing \"base_from\"");
  EXPECT_EQ(ErrorOf(Ask("diff", "base_from=-1m&base_to=-0s"), 404),
            "base: nothing found");
}

TEST_F(SumTest, DifferenceComparesTwoQueries) {
  Upload("service=shop&type=wall&labels=v%3D1", PprofOf("main;a 10\n"));
  Upload("service=shop&type=wall&labels=v%3D2", PprofOf("main;a 30\n"));
  EXPECT_EQ(
      Ask("diff",
          absl::StrCat("labels=v%3D2&format=folded&base_query=type%3D%22wall%22"
                       "%2Cv%3D%221%22&base_",
                       "from=2026-01-02T03:00:00&base_to=2026-01-02T04:00:00"))
          .body,
      "main;a 10 30\n");
}

TEST_F(SumTest, ViewsOfAWallProfile) {
  Profile profile = *DecodePprof(PprofOf("main;a 30\n"));
  profile.sample_types = {
      {"samples", "count"}, {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}};
  profile.default_sample_type = "wall";
  profile.samples[0].values = {1, 10'000, 30'000};
  Upload("service=shop&type=wall", EncodePprof(profile));
  EXPECT_EQ(Ask("flamegraph", "format=folded&view=offcpu").body, "main;a 20\n");
  EXPECT_EQ(BodyOf(Ask("flamegraph", "view=cpu"))["value"], 10);
  EXPECT_EQ(BodyOf(Ask("top", "view=cpu"))["default"], "cpu");
}

}  // namespace
}  // namespace wallprof::collector
