#include "fleet/pgo/server/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "absl/synchronization/notification.h"

namespace wallprof::pgo {
namespace {

using ::testing::HasSubstr;

HttpResponse Ask(HealthApi& api, const std::string& method,
                 const std::string& target) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  return api.Handle(request);
}

TEST(HealthTest, IsWellWithoutDependencies) {
  Health health;
  const HttpResponse response = health.Respond();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{\"status\":\"healthy\",\"dependencies\":[]}\n");
  EXPECT_TRUE(health.Check().ok());
}

TEST(HealthTest, SaysHowThingsAreNow) {
  Health health;
  absl::Status bus = absl::UnavailableError("no route");
  health.Add("blob", [] { return absl::OkStatus(); });
  health.Add("event-writer", [&bus] { return bus; });
  const HttpResponse sick = health.Respond();
  EXPECT_EQ(sick.status, 503);
  EXPECT_EQ(sick.body,
            "{\"status\":\"unhealthy\",\"dependencies\":["
            "{\"name\":\"blob\",\"status\":\"healthy\"},"
            "{\"name\":\"event-writer\",\"status\":\"unhealthy\","
            "\"message\":\"no route\"}]}\n");
  EXPECT_EQ(health.Check(), absl::UnavailableError("event-writer: no route"));
  bus = absl::OkStatus();
  EXPECT_EQ(health.Respond().status, 200);
  EXPECT_TRUE(health.Check().ok());
}

TEST(HealthTest, ChecksAreMadeAtTheSameTime) {
  Health health(absl::Minutes(1));
  // Each ends once both have begun.
  absl::Notification first, second;
  health.Add("a", [&] {
    first.Notify();
    second.WaitForNotification();
    return absl::OkStatus();
  });
  health.Add("b", [&] {
    second.Notify();
    first.WaitForNotification();
    return absl::OkStatus();
  });
  EXPECT_TRUE(health.Check().ok());
}

TEST(HealthTest, WhatDoesNotAnswerIsNotWaitedForNorAskedTwice) {
  absl::Notification release;
  std::atomic<int> asked{0};
  {
    Health health(absl::Milliseconds(10));
    health.Add("blob", [&] {
      ++asked;
      release.WaitForNotification();
      return absl::OkStatus();
    });
    for (int i = 0; i < 3; ++i) {
      const HttpResponse response = health.Respond();
      EXPECT_EQ(response.status, 503);
      EXPECT_THAT(response.body, HasSubstr("there was no answer within 10ms"));
    }
    EXPECT_EQ(asked.load(), 1);
    release.Notify();
  }  // waits for the check
  EXPECT_EQ(asked.load(), 1);
}

TEST(HealthTest, AThrowingCheckIsUnwell) {
  Health health;
  health.Add("blob",
             []() -> absl::Status { throw std::runtime_error("ouch"); });
  EXPECT_THAT(std::string(health.Check().message()), HasSubstr("blob: ouch"));
}

TEST(HealthApiTest, ServesTwoPaths) {
  Health health;
  health.Add("blob", [] { return absl::UnavailableError("away"); });
  HealthApi api(health);
  EXPECT_EQ(Ask(api, "GET", "/api/health").status, 503);
  EXPECT_EQ(Ask(api, "GET", "/api/ready").status, 200);
  EXPECT_EQ(Ask(api, "HEAD", "/api/ready?x=1").status, 200);
  EXPECT_EQ(Ask(api, "GET", "/api/ready").body, "{}\n");
  const HttpResponse post = Ask(api, "POST", "/api/health");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.headers.at("Allow"), "GET, HEAD");
  const HttpResponse other = Ask(api, "GET", "/api/profile");
  EXPECT_EQ(other.status, 404);
  EXPECT_EQ(other.body,
            "{\"message\":\"there is nothing at '/api/profile'\","
            "\"code\":404}\n");
  EXPECT_EQ(api.RouteOf("GET", "/api/health").scope, serving::Scope::kNone);
  EXPECT_EQ(api.RouteOf("GET", "/x").name, "other");
  EXPECT_EQ(api.Refusal("/x", 401, "A token.").body,
            "{\"message\":\"A token.\",\"code\":401}\n");
}

}  // namespace
}  // namespace wallprof::pgo
