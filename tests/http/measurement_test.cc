// What a request asks for in parameters, and the documents that come of it.
#include "http/measurement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "http/comparison.h"
#include "tests/http/fake_source.h"

namespace wallprof::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

HttpResponse ResponseTo(std::string_view query) {
  absl::StatusOr<Query> parsed = Query::Parse(query);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  absl::StatusOr<Measurement> measurement =
      ParseMeasurement(*std::move(parsed), {}, absl::Seconds(10),
                       absl::FromUnixSeconds(1'700'000'000));
  EXPECT_TRUE(measurement.ok()) << measurement.status();
  absl::StatusOr<HttpResponse> response =
      EncodeMeasurement(SmallProfile(), *measurement);
  EXPECT_TRUE(response.ok()) << response.status();
  return *std::move(response);
}

TEST(MeasurementTest, EveryFormatComesAsWhatItIs) {
  for (const auto& [format, type, beginning] :
       {std::tuple("speedscope", "application/json", "{\"$schema\":"),
        std::tuple("svg", "image/svg+xml", "<?xml version=\"1.0\""),
        std::tuple("html", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        std::tuple("json", "application/json", "{\"types\":")}) {
    HttpResponse response =
        ResponseTo(std::string("seconds=1&view=offcpu&format=") + format);
    EXPECT_EQ(response.headers["Content-Type"], type);
    EXPECT_THAT(response.body, StartsWith(beginning));
    EXPECT_THAT(response.body, HasSubstr("offcpu"));
    EXPECT_THAT(response.body, HasSubstr("nap()"));
  }
  EXPECT_EQ(
      ResponseTo("seconds=1&format=speedscope").headers["Content-Disposition"],
      "attachment; filename=\"wall.speedscope.json\"");
}

TEST(MeasurementTest, DocumentsWithScriptsMayLoadNothing) {
  for (const char* format : {"svg", "html"}) {
    HttpResponse response =
        ResponseTo(std::string("seconds=1&threads=1&format=") + format);
    EXPECT_THAT(response.headers["Content-Security-Policy"],
                StartsWith("default-src 'none';"));
    EXPECT_THAT(response.body, HasSubstr("<title>demo\n"));
  }
}

// A source that knows what its second sample waits for.
TEST(MeasurementTest, WhatIsWaitedForIsALabelOrAFrame) {
  Profile profile = SmallProfile();
  profile.samples[1].labels.push_back({"wait_kind", "pipe"});
  const auto body = [&](const std::string& query) {
    const absl::StatusOr<Measurement> measurement =
        ParseMeasurement(Query::Parse(query).value(), {}, absl::Seconds(10),
                         absl::FromUnixSeconds(1'700'000'000));
    EXPECT_TRUE(measurement.ok()) << measurement.status();
    return EncodeMeasurement(profile, *measurement)->body;
  };
  EXPECT_EQ(body("seconds=1&detail=1"),
            "main;nap();[pipe] 2000\nmain;work() 3000\n");
  EXPECT_EQ(body("seconds=1"), "main;nap() 2000\nmain;work() 3000\n");
  for (const char* format : {"speedscope", "svg", "html", "json"}) {
    EXPECT_THAT(body(std::string("seconds=1&detail=1&format=") + format),
                HasSubstr("[pipe]"))
        << format;
  }
  const absl::StatusOr<Profile> pprof =
      DecodePprof(body("seconds=1&detail=1&format=pprof"));
  ASSERT_TRUE(pprof.ok());
  EXPECT_EQ(pprof->samples[1].labels.back(), (Label{"wait_kind", "pipe"}));
  EXPECT_EQ(pprof->functions.size(), profile.functions.size());
}

// The response to a comparison, or what is wrong with it.
std::string ComparisonOf(std::string_view query, const Profile& second) {
  absl::StatusOr<Query> parsed = Query::Parse(query);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  absl::StatusOr<Comparison> comparison =
      ParseComparison(*std::move(parsed), View::kWall, absl::Seconds(10),
                      absl::FromUnixSeconds(1'700'000'000));
  if (!comparison.ok()) return std::string(comparison.status().message());
  absl::StatusOr<HttpResponse> response =
      EncodeComparison(SmallProfile(), second, *comparison);
  EXPECT_TRUE(response.ok()) << response.status();
  return response->body;
}

TEST(ComparisonTest, TwoViewsOfOneWindow) {
  EXPECT_EQ(ComparisonOf("seconds=1&before=cpu&after=wall", SmallProfile()),
            "main;nap() 0 2000\nmain;work() 1000 3000\n");
  EXPECT_EQ(ComparisonOf("seconds=1&before=cpu&after=wall&normalize=1",
                         SmallProfile()),
            "main;nap() 0 2000\nmain;work() 5000 3000\n");
}

TEST(ComparisonTest, TwoWindowsInOneView) {
  Profile second = SmallProfile();
  for (Sample& sample : second.samples) {
    for (int64_t& value : sample.values) value *= 2;
  }
  EXPECT_EQ(ComparisonOf("seconds=1&view=offcpu&threads=1", second),
            "demo;main;nap() 2000 4000\ndemo;main;work() 2000 4000\n");
  EXPECT_THAT(ComparisonOf("seconds=1&format=svg", second),
              HasSubstr("before 5.00ms, after 10.00ms, +5.00ms; red"));
}

TEST(ComparisonTest, RefusesWhatMakesNone) {
  for (const auto& [query, error] :
       {std::pair("seconds=1&before=cpu", "'before' and 'after' are given"),
        std::pair("seconds=1&before=cpu&after=cpu", "must differ"),
        std::pair("seconds=1&before=x&after=cpu", "'before' must be wall, cpu"),
        std::pair("seconds=1&before=cpu&after=wall&view=cpu", "'view'"),
        std::pair("before=cpu&after=wall", "'seconds' is required"),
        std::pair("seconds=1&detail=1", "'detail' is for measurements"),
        std::pair("seconds=1&normalize=yes", "'normalize' must be 0 or 1")}) {
    EXPECT_THAT(ComparisonOf(query, SmallProfile()), HasSubstr(error));
  }
}

}  // namespace
}  // namespace wallprof::http
