#include "fleet/serving/front.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace wallprof::serving {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SomeApi : public Api {
 public:
  Route RouteOf(std::string_view, std::string_view path) const override {
    if (path.substr(0, 4) == "/id/") return {"/id/<id>", Scope::kWrite};
    return {"other", Scope::kRead};
  }
  HttpResponse Handle(const HttpRequest& request) override {
    if (request.target == "/throw") throw std::runtime_error("no disk");
    HttpResponse response;
    response.body = request.body;
    return response;
  }
  HttpResponse Refusal(std::string_view path, int status,
                       std::string_view sentence) const override {
    HttpResponse response;
    response.status = status;
    response.body = std::string(path) + "|" + std::string(sentence);
    return response;
  }
};

class FrontTest : public ::testing::Test {
 protected:
  FrontTest()
      : log_(LogFormat::kLogfmt, LogLevel::kInfo,
             [this](std::string_view line) { lines_ += line; }) {
    options_.metrics_prefix = "x";
  }

  // As the server would ask.
  HttpResponse Ask(const HttpRequest& request) {
    if (!front_) front_.emplace(api_, metrics_, log_, options_);
    const http::Answering answering = front_->MakeAnswering(100);
    EXPECT_EQ(answering.body_bytes, 100u);
    std::optional<HttpResponse> early = answering.answer_head(request);
    return early ? *early : answering.handle(request);
  }

  static HttpRequest Get(const std::string& target) {
    HttpRequest request;
    request.target = target;
    request.headers["host"] = "localhost:10100";
    request.peer = "10.0.0.7:5";
    return request;
  }

  SomeApi api_;
  Metrics metrics_;
  std::string lines_;
  EventLog log_;
  FrontOptions options_;
  std::optional<Front> front_;
};

TEST_F(FrontTest, RequestsAreCountedAndTold) {
  HttpRequest request = Get("/id/5?a=1");
  request.method = "POST";
  request.body = "abc";
  request.headers["x-request-id"] = "r-1";
  const HttpResponse response = Ask(request);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.at("X-Request-Id"), "r-1");
  EXPECT_THAT(lines_,
              HasSubstr("event=request id=r-1 peer=10.0.0.7:5 method=POST "
                        "target=\"/id/5?a=1\" code=200 bytes_in=3 bytes_out=3 "
                        "us="));
  request.method = "BREW";
  Ask(request);
  EXPECT_THAT(
      metrics_.Text(),
      AllOf(
          HasSubstr("x_requests_total{method=\"POST\",path=\"/id/<id>\","
                    "code=\"200\"} 1\n"),
          HasSubstr("x_requests_total{method=\"other\",path=\"/id/<id>\","
                    "code=\"200\"} 1\n"),
          HasSubstr("x_request_duration_seconds_count{method=\"POST\",path=\"/"
                    "id/<id>\",code=\"200\"} 1\n"),
          HasSubstr("x_request_size_bytes_sum{method=\"POST\",path=\"/id/"
                    "<id>\"} 3\n"),
          HasSubstr("x_response_size_bytes_sum{method=\"POST\",path=\"/id/"
                    "<id>\"} 3\n"),
          HasSubstr("x_requests_running 0\n")));
}

TEST_F(FrontTest, WhatWasNotReadIsCountedToo) {
  Ask(Get("/health"));
  front_->MakeAnswering(1).refused(413);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("x_requests_total{method=\"none\",path=\"none\",code="
                        "\"413\"} 1\n"));
  EXPECT_THAT(lines_, HasSubstr("event=refused code=413"));
}

TEST_F(FrontTest, HarmfulRequestIdsAreReplaced) {
  HttpRequest request = Get("/");
  request.headers["x-request-id"] = "a\r\nSet-Cookie: b";
  EXPECT_THAT(Ask(request).headers.at("X-Request-Id"),
              ::testing::MatchesRegex("[0-9a-f]{32}"));
}

TEST_F(FrontTest, WhatTheApiThrowsIs500AndTold) {
  const HttpResponse response = Ask(Get("/throw"));
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body,
              AllOf(HasSubstr("/throw|"), Not(HasSubstr("no disk"))));
  EXPECT_THAT(lines_, HasSubstr("event=exception"));
  EXPECT_THAT(lines_, HasSubstr("what=\"no disk\""));
}

TEST_F(FrontTest, ReadinessIsTheDaemons) {
  absl::Status ready = absl::OkStatus();
  options_.ready = [&ready] { return ready; };
  EXPECT_EQ(Ask(Get("/ready")).status, 200);
  ready = absl::UnavailableError("the disk is full");
  const HttpResponse response = Ask(Get("/ready"));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "the disk is full\n");
  ready = absl::OkStatus();
  front_->SetEnding();
  EXPECT_EQ(Ask(Get("/ready")).status, 503);
  EXPECT_EQ(Ask(Get("/health")).status, 200);
}

TEST_F(FrontTest, ItsOwnPagesAreForReading) {
  HttpRequest request = Get("/metrics");
  request.method = "POST";
  const HttpResponse response = Ask(request);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.at("Allow"), "GET, HEAD");
  EXPECT_EQ(Ask(Get("/metrics")).headers.at("Content-Type"), kMetricsType);
}

TEST_F(FrontTest, StrangeHostsAreRefused) {
  options_.allowed_hosts = {"collector"};
  HttpRequest request = Get("/");
  request.headers["host"] = "evil.example";
  const HttpResponse response = Ask(request);
  EXPECT_EQ(response.status, 403);
  EXPECT_THAT(response.body, HasSubstr("--allow-host"));
  request.headers["host"] = "Collector:10100";
  EXPECT_EQ(Ask(request).status, 200);
  request.headers.erase("host");
  EXPECT_EQ(Ask(request).status, 200);
}

TEST_F(FrontTest, OnANetworkOnlyBrowsersAreKeptFromStrangeHosts) {
  options_.guards_all_hosts = false;
  HttpRequest request = Get("/");
  request.headers["host"] = "collector.example";
  request.headers["user-agent"] = "curl/7.88.1";
  EXPECT_EQ(Ask(request).status, 200);
  request.headers["user-agent"] = "Mozilla/5.0";
  EXPECT_EQ(Ask(request).status, 403);
  request.headers["user-agent"] = "as I like";
  request.headers["accept-language"] = "en";
  EXPECT_EQ(Ask(request).status, 403);
  request.headers["host"] = "10.0.0.1:10100";
  EXPECT_EQ(Ask(request).status, 200);
}

}  // namespace
}  // namespace wallprof::serving
