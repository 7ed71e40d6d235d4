// Questions for the past over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/time/clock.h"
#include "http/measurement.h"
#include "http/pages/recording_page.h"
#include "tests/http/fake_source.h"
#include "wallprof/formats.h"
#include "wallprof/http.h"

namespace wallprof::http {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

absl::Time Now() { return absl::FromUnixSeconds(1767323045); }

absl::StatusOr<Measurement> Parse(const std::string& text) {
  return ParseMeasurement(Query::Parse(text).value(), {}, absl::Hours(1),
                          Now());
}

std::string ErrorOf(const std::string& text) {
  return std::string(Parse(text).status().message());
}

TEST(PastMeasurementTest, TakesTimesInEachForm) {
  for (const char* text : {"from=-10m&to=-5m", "from=-600s&to=-300s",
                           "from=2026-01-02T02:54:05Z&to=2026-01-02T02:59:05Z",
                           "from=1767322445&to=1767322745.0"}) {
    const absl::StatusOr<Measurement> measurement = Parse(text);
    ASSERT_TRUE(measurement.ok()) << text << measurement.status();
    ASSERT_TRUE(measurement->past.has_value()) << text;
    EXPECT_EQ(measurement->past->from, Now() - absl::Minutes(10)) << text;
    EXPECT_EQ(measurement->past->to, Now() - absl::Minutes(5)) << text;
  }
  EXPECT_EQ(Parse("from=-1h")->past->to, Now()) << "by default now";
  EXPECT_FALSE(Parse("seconds=1")->past.has_value());
}

TEST(PastMeasurementTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(ErrorOf("to=-5m"), "Parameter 'to' needs 'from'.");
  EXPECT_EQ(ErrorOf("from=-5m&seconds=3"),
            "Parameter 'seconds' does not go with 'from'.");
  EXPECT_EQ(ErrorOf("from=-5m&hz=99"),
            "Parameter 'hz' does not go with 'from'.");
  EXPECT_EQ(ErrorOf("seconds=1&slices=1"), "Parameter 'slices' needs 'from'.");
  EXPECT_EQ(ErrorOf("from=-5m&detail=1"),
            "Parameter 'detail' does not go with 'from'.");
  EXPECT_EQ(ErrorOf("from=-5m&to=-5m"),
            "Parameter 'from' must be before 'to', which '-5m' is not.");
  EXPECT_THAT(ErrorOf("from=yesterday"),
              HasSubstr("'from' must be a time like -10m, "));
  EXPECT_THAT(ErrorOf("from=-5m&to=5m"), HasSubstr("not '5m'."));
  EXPECT_THAT(ErrorOf("from=-5m&lines=2"), HasSubstr("'lines'"));
}

class PastHandlerTest : public ::testing::Test {
 protected:
  HttpResponse Get(const std::string& target) {
    HttpRequest request;
    request.target = target;
    return handler_.Handle(request);
  }

  FakeSource source_;
  HttpHandler handler_{source_};
};

TEST_F(PastHandlerTest, AnswersAsAMeasurementOnAllItsPaths) {
  EXPECT_EQ(Get("/?from=-10m&to=-5m").body,
            "main;nap() 2000\nmain;work() 3000\n");
  EXPECT_EQ(source_.last_to - source_.last_from, absl::Minutes(5));
  EXPECT_NEAR(absl::ToDoubleSeconds(absl::Now() - source_.last_to), 300, 60);
  EXPECT_EQ(Get("/?from=-10m&threads=1&view=offcpu").body,
            "demo;main;nap() 2000\ndemo;main;work() 2000\n");
  for (const char* path :
       {"/debug/pprof/wall", "/debug/fgprof", "/debug/pprof/profile"}) {
    EXPECT_TRUE(DecodePprof(Get(std::string(path) + "?from=-10m").body).ok())
        << path;
  }
  EXPECT_EQ(source_.collects(), 0);
}

TEST_F(PastHandlerTest, SaysWhatItWantsOfThePast) {
  Get("/?from=-10m");
  EXPECT_EQ(source_.last_past.view, View::kWall);
  EXPECT_FALSE(source_.last_past.slices_apart);
  Get("/?from=-10m&view=blockedby");
  EXPECT_EQ(source_.last_past.view, View::kBlockedBy);
  const HttpResponse trace = Get("/?from=-10m&format=chrome");
  EXPECT_TRUE(source_.last_past.slices_apart);
  EXPECT_THAT(trace.headers,
              Contains(Pair("Content-Disposition",
                            "attachment; filename=\"wall.trace.json\"")));
  EXPECT_TRUE(nlohmann::json::parse(trace.body).contains("traceEvents"));
  Get("/?from=-10m&format=speedscope");
  EXPECT_TRUE(source_.last_past.slices_apart);
  Get("/?from=-10m&format=svg");
  EXPECT_FALSE(source_.last_past.slices_apart);
  Get("/?from=-10m&format=pprof&slices=1");
  EXPECT_TRUE(source_.last_past.slices_apart);
}

TEST_F(PastHandlerTest, WhatIsNotThereIs404WithASentence) {
  source_.past = absl::NotFoundError("Nothing is recorded from then.");
  const HttpResponse response = Get("/?from=-10m");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "Nothing is recorded from then.\n");
  EXPECT_THAT(response.headers, Contains(Pair("X-Go-Pprof", "1")));
  EXPECT_EQ(Get("/recording").status, 404);
  EXPECT_EQ(Get("/?from=-10m&seconds=1").status, 400);
}

Recorded SomeRecorded() {
  Recorded recorded;
  recorded.slices.push_back({Now(), Now() + absl::Seconds(10),
                             absl::Seconds(10), absl::Seconds(20),
                             absl::Milliseconds(1500), 990, 2});
  recorded.events.push_back({Now(), "thread started", "71 d\xffmo"});
  recorded.memory_bytes = 5000;
  recorded.directory = "/var/d";
  recorded.slices_written = 3;
  recorded.slices_lost = 1;
  recorded.last_error = "No space left on device";
  return recorded;
}

TEST_F(PastHandlerTest, RecordingIsATable) {
  source_.recorded = SomeRecorded();
  EXPECT_EQ(Get("/recording").body,
            "slices 1, memory 5000 bytes\n"
            "directory /var/d: 3 slices written, 1 lost (No space left on "
            "device)\n"
            "\n"
            "start                     end                               wall "
            "          cpu    ticks  threads\n"
            "2026-01-02T03:04:05.000Z  2026-01-02T03:04:15.000Z           20s "
            "         1.5s      990        2\n"
            "\n"
            "2026-01-02T03:04:05.000Z  thread started  71 d\xffmo\n");
}

TEST_F(PastHandlerTest, RecordingAsJson) {
  source_.recorded = SomeRecorded();
  const auto json = nlohmann::json::parse(Get("/recording?format=json").body);
  EXPECT_EQ(json["slices"][0]["start"], "2026-01-02T03:04:05.000Z");
  EXPECT_EQ(json["slices"][0]["wall_ns"], 20'000'000'000);
  EXPECT_EQ(json["slices"][0]["threads"], 2);
  EXPECT_EQ(json["events"][0]["kind"], "thread started");
  EXPECT_EQ(json["slices_lost"], 1);
  EXPECT_EQ(Get("/recording?seconds=1").status, 400);
}

}  // namespace
}  // namespace wallprof::http
