#include "fleet/transfer/transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/time/clock.h"
#include "tests/fleet/transfer/raw_server.h"

namespace wallprof::fleet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr size_t kMany = 1 << 20;

// Far beyond what any request of these tests takes.
constexpr absl::Duration kLong = absl::Seconds(20);

TransferRequest Get(const std::string& url) {
  TransferRequest request;
  request.method = "GET";
  request.url = url;
  request.max_bytes = kMany;
  request.timeout = kLong;
  return request;
}

TEST(TransferTest, MethodsGoWithTheirBodies) {
  RawServer server([](RawConnection& connection) {
    const RawRequest& request = connection.request();
    connection.Send(RawAnswer("200 OK", request.body, request.head));
  });
  Transfer transfer({});
  for (const std::string method : {"GET", "PUT", "POST", "DELETE"}) {
    TransferRequest request = Get(server.url() + "/a/../b?c=%2F");
    request.method = method;
    request.headers["x-one"] = "two";
    const std::string body(method == "PUT" || method == "POST" ? 100'000 : 0,
                           'x');
    request.body = body;
    const auto answer = transfer.Send(request);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, body);
    EXPECT_EQ(answer->headers.at("x-one"), "two");
    EXPECT_EQ(answer->headers.count("content-type"), 0u) << method;
    EXPECT_EQ(answer->headers.count("expect"), 0u) << method;
  }
  EXPECT_THAT(server.asked(), ElementsAre("GET /a/../b?c=%2F HTTP/1.1",
                                          "PUT /a/../b?c=%2F HTTP/1.1",
                                          "POST /a/../b?c=%2F HTTP/1.1",
                                          "DELETE /a/../b?c=%2F HTTP/1.1"));
}

TEST(TransferTest, PostWithoutABodyReadsNothingElse) {
  RawServer server([](RawConnection& connection) {
    connection.Send(RawAnswer("200 OK", connection.request().head));
  });
  TransferRequest request = Get(server.url());
  request.method = "POST";
  request.headers["Content-Type"] = "application/json";
  const auto answer = Transfer({}).Send(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->body, AllOf(HasSubstr("Content-Length: 0"),
                                  HasSubstr("application/json")));
}

TEST(TransferTest, ConnectionsAreKeptOnlyIfTheyShallBe) {
  RawServer server([](RawConnection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    connection.AwaitEnd();
  });
  TransferOptions options;
  Transfer keeping(options);
  ASSERT_TRUE(keeping.Send(Get(server.url())).ok());
  EXPECT_EQ(server.open_connections(), 1u);
  options.keeps_connections = false;
  Transfer letting_go(options);
  ASSERT_TRUE(letting_go.Send(Get(server.url())).ok());
  while (server.open_connections() > 1) std::this_thread::yield();
}

TEST(TransferTest, AnswersHaveABound) {
  RawServer server([](RawConnection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\n\r\n");
    while (connection.Send(std::string(4096, 'x'))) {
    }
  });
  const auto answer = Transfer({}).Send(Get(server.url()));
  EXPECT_TRUE(absl::IsResourceExhausted(answer.status())) << answer.status();
}

TEST(TransferTest, OfErrorsTheBeginningIsKept) {
  RawServer server([](RawConnection& connection) {
    connection.Send(RawAnswer("500 No", std::string(kMany, 'x')));
  });
  TransferRequest request = Get(server.url());
  request.max_bytes = 0;
  const auto answer = Transfer({}).Send(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body.size(), size_t{16} << 10);
}

TEST(TransferTest, HalfAnswersAreErrors) {
  RawServer server([](RawConnection& connection) {
    const std::string answer = RawAnswer("200 OK", "profile");
    connection.Send(answer.substr(0, answer.size() - 3));
  });
  bool was_sent = false;
  const auto answer = Transfer({}).Send(Get(server.url()), &was_sent);
  EXPECT_TRUE(absl::IsUnavailable(answer.status())) << answer.status();
  EXPECT_TRUE(was_sent);
}

TEST(TransferTest, NobodyListens) {
  std::string url;
  {
    RawServer server([](RawConnection&) {});
    url = server.url();
  }
  bool was_sent = true;
  const auto answer = Transfer({}).Send(Get(url), &was_sent);
  // The same each time, however long it took.
  EXPECT_EQ(answer.status(),
            absl::UnavailableError("Failed to connect to 127.0.0.1 port " +
                                   url.substr(url.rfind(':') + 1) +
                                   ": Couldn't connect to server"));
  EXPECT_FALSE(was_sent);
}

TEST(TransferTest, WholeRequestHasATimeout) {
  RawServer server([](RawConnection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\n\r\n");
    while (connection.Send("x")) absl::SleepFor(absl::Milliseconds(5));
  });
  TransferRequest request = Get(server.url());
  request.timeout = absl::Milliseconds(100);
  const auto answer = Transfer({}).Send(request);
  EXPECT_EQ(answer.status(), absl::UnavailableError("Operation timed out"));
}

TEST(TransferTest, OnlyWithoutStallOneMaySayNothingForLong) {
  RawServer server([](RawConnection& connection) {
    if (connection.request().line == "GET /never HTTP/1.1") {
      return connection.AwaitEnd();
    }
    absl::SleepFor(absl::Milliseconds(1500));
    connection.Send(RawAnswer("200 OK", "late"));
  });
  TransferOptions options;
  options.stall = absl::Seconds(1);
  std::thread stalling([&] {
    const auto answer = Transfer(options).Send(Get(server.url() + "/never"));
    EXPECT_TRUE(absl::IsUnavailable(answer.status())) << answer.status();
  });
  TransferOptions patient = options;
  patient.stall = absl::InfiniteDuration();
  EXPECT_TRUE(Transfer(patient).Send(Get(server.url() + "/late")).ok());
  stalling.join();
}

// By one who is told by all, or by this request alone.
class TransferCancelTest : public ::testing::TestWithParam<bool> {};

TEST_P(TransferCancelTest, EndsWhatWaits) {
  std::atomic<bool> cancelled{false};
  RawServer server([&](RawConnection& connection) {
    cancelled = true;
    connection.AwaitEnd();
  });
  TransferOptions options;
  TransferRequest request = Get(server.url());
  // The server's silence would end it much later.
  request.timeout = absl::Minutes(10);
  options.stall = absl::Minutes(10);
  (GetParam() ? options.cancelled : request.cancelled) = [&] {
    return cancelled.load();
  };
  const auto answer = Transfer(options).Send(request);
  EXPECT_TRUE(absl::IsCancelled(answer.status())) << answer.status();
}

INSTANTIATE_TEST_SUITE_P(Who, TransferCancelTest, ::testing::Bool());

TEST(TransferTest, WhatIsCancelledBeforeIsNotSent) {
  RawServer server([](RawConnection& connection) {
    connection.Send(RawAnswer("200 OK", ""));
  });
  Transfer transfer({});
  TransferRequest request = Get(server.url());
  bool was_sent = false;
  EXPECT_TRUE(transfer.Send(request, &was_sent).ok());
  EXPECT_TRUE(was_sent);
  request.cancelled = [] { return true; };
  EXPECT_TRUE(absl::IsCancelled(transfer.Send(request, &was_sent).status()));
  EXPECT_FALSE(was_sent);
  EXPECT_EQ(server.asked().size(), 1u);
}

TEST(TransferTest, ErrorsAreShownOnOneLine) {
  TransferAnswer answer;
  answer.status = 404;
  EXPECT_EQ(ErrorText(answer), "status 404");
  answer.body = " no\tsuch\r\npage\x1b[31m\n";
  EXPECT_EQ(ErrorText(answer), "status 404: no such  page [31m");
  answer.body.assign(10'000, 'x');
  EXPECT_LT(ErrorText(answer).size(), 600u);
}

TEST(TransferTest, RedirectsAreFollowedIfAsked) {
  RawServer server([](RawConnection& connection) {
    const bool there = connection.request().line == "GET /there HTTP/1.1";
    connection.Send(there ? RawAnswer("200 OK", "profile")
                          : RawAnswer("302 Found", "elsewhere",
                                      "Location: /there\r\nX-First: 1\r\n"));
  });
  TransferRequest request = Get(server.url() + "/here");
  Transfer transfer({});
  auto answer = transfer.Send(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(answer->headers.at("location"), "/there");
  request.follows = true;
  answer = transfer.Send(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->body, "profile");
  EXPECT_EQ(answer->headers.count("x-first"), 0u);
}

TEST(TransferTest, RedirectsInACircleEnd) {
  RawServer server([](RawConnection& connection) {
    connection.Send(RawAnswer("302 Found", "", "Location: /\r\n"));
  });
  TransferRequest request = Get(server.url());
  request.follows = true;
  EXPECT_FALSE(Transfer({}).Send(request).ok());
}

TEST(TransferTest, OtherProtocolsAreNotSpoken) {
  const auto answer = Transfer({}).Send(Get("file:///etc/passwd"));
  EXPECT_FALSE(answer.ok());
  RawServer server([](RawConnection& connection) {
    connection.Send(
        RawAnswer("302 Found", "", "Location: file:///etc/passwd\r\n"));
  });
  TransferRequest request = Get(server.url());
  request.follows = true;
  EXPECT_FALSE(Transfer({}).Send(request).ok());
}

TEST(TransferTest, NoProxyStandsBeforeThisMachine) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  RawServer server([](RawConnection& connection) {
    connection.Send(RawAnswer("200 OK", "here"));
  });
  const auto here = Transfer({}).Send(Get(server.url()));
  const auto elsewhere = Transfer({}).Send(Get("http://name.invalid/"));
  unsetenv("http_proxy");
  ASSERT_TRUE(here.ok()) << here.status();
  EXPECT_THAT(elsewhere.status().message(), HasSubstr("port 1:"));
}

TEST(TransferTest, UnixSockets) {
  const std::string path =
      ::testing::TempDir() + "transfer_test.socket." + std::to_string(getpid());
  unlink(path.c_str());
  RawServer server(
      [](RawConnection& connection) {
        connection.Send(RawAnswer("200 OK", "here"));
      },
      path);
  TransferOptions options;
  options.unix_socket = path;
  const auto answer = Transfer(options).Send(Get("http://localhost/x"));
  unlink(path.c_str());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->body, "here");
}

TEST(TransferTest, ManyThreads) {
  RawServer server([](RawConnection& connection) {
    connection.Send(RawAnswer("200 OK", connection.request().line));
  });
  Transfer transfer({});
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 10; ++j) {
        const std::string path = "/" + std::to_string(i * 100 + j);
        const auto answer = transfer.Send(Get(server.url() + path));
        if (answer.ok() && answer->body == "GET " + path + " HTTP/1.1") ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 80);
}

}  // namespace
}  // namespace wallprof::fleet
