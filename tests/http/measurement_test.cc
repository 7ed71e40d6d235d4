// What a request asks for in parameters, and the documents that come of it.
#include "http/measurement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "tests/http/fake_source.h"

namespace wallprof::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

HttpResponse ResponseTo(std::string_view query) {
  absl::StatusOr<Query> parsed = Query::Parse(query);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  absl::StatusOr<Measurement> measurement =
      ParseMeasurement(*std::move(parsed), {}, absl::Seconds(10));
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

}  // namespace
}  // namespace wallprof::http
