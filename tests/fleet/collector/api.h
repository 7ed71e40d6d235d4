// A collector over a store in memory, and what tests ask it.
#ifndef WALLPROF_TESTS_FLEET_COLLECTOR_API_H_
#define WALLPROF_TESTS_FLEET_COLLECTOR_API_H_

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/collector/collector.h"
#include "tests/fleet/collector/memory_store.h"
#include "wallprof/formats.h"

namespace wallprof::collector {

// What the collector's clock has.
inline const absl::Time kNow = absl::FromCivil(
    absl::CivilSecond(2026, 1, 2, 4, 0, 0), absl::UTCTimeZone());

// The time of night that everybody asks about.
inline const absl::Time kNight = absl::FromCivil(
    absl::CivilSecond(2026, 1, 2, 3, 12, 0), absl::UTCTimeZone());

// A wall profile of `time` with a stack of each of `folded`'s lines.
inline std::string PprofOf(std::string_view folded, absl::Time time = kNight) {
  absl::StatusOr<Profile> profile = DecodeFolded(folded);
  EXPECT_TRUE(profile.ok()) << profile.status();
  profile->time = time;
  profile->duration = absl::Seconds(10);
  return EncodePprof(*profile);
}

class ApiTest : public testing::Test {
 protected:
  HttpResponse Send(const std::string& method, const std::string& target,
                    const std::string& body = "",
                    std::map<std::string, std::string> headers = {}) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = std::move(headers);
    request.client_gone = client_gone_;
    if (!collector_) collector_.emplace(store_, options_);
    return collector_->Handle(request);
  }

  HttpResponse Get(const std::string& target) { return Send("GET", target); }

  // The envelope of a response.
  nlohmann::json JsonOf(const HttpResponse& response) {
    nlohmann::json json = nlohmann::json::parse(response.body, nullptr, false);
    EXPECT_EQ(json.value("code", 0), response.status) << response.body;
    EXPECT_EQ(response.headers.at("Content-Type"), "application/json");
    return json;
  }

  nlohmann::json BodyOf(const HttpResponse& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    return JsonOf(response)["body"];
  }

  std::string ErrorOf(const HttpResponse& response, int status) {
    EXPECT_EQ(response.status, status) << response.body;
    return JsonOf(response).value("error", "");
  }

  // Uploads, and gives the id.
  std::string Upload(const std::string& query, const std::string& body) {
    const nlohmann::json info =
        BodyOf(Send("POST", "/api/0/profiles?" + query, body));
    return info.value("id", "");
  }

  static std::string FoldedOf(const HttpResponse& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    const absl::StatusOr<Profile> profile = DecodePprof(response.body);
    EXPECT_TRUE(profile.ok()) << profile.status();
    return profile.ok() ? EncodeFolded(*profile) : "";
  }

  MemoryStore store_;
  CollectorOptions options_ = [] {
    CollectorOptions options;
    options.version = {"1.2.3", "abc", "today"};
    options.now = [] { return kNow; };
    return options;
  }();
  std::function<bool()> client_gone_;
  std::optional<Collector> collector_;
};

// The hour of kNight.
inline constexpr char kHour[] =
    "from=2026-01-02T03:00:00&to=2026-01-02T04:00:00";

}  // namespace wallprof::collector

#endif  // WALLPROF_TESTS_FLEET_COLLECTOR_API_H_
