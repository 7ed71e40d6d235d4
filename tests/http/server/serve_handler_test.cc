#include "http/server/serve_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/http/raw_client.h"

namespace wallprof::http {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;

constexpr char kHeld[] = "GET /held HTTP/1.0\r\n\r\n";

// Echoes bodies; /held is answered when it is let go.
class ServeHandlerTest : public ::testing::Test {
 protected:
  ~ServeHandlerTest() override {
    LetGo();
    server_.reset();
    for (std::thread& thread : threads_) thread.join();
  }

  void Serve() {
    Answering answering;
    answering.handle = [this](const HttpRequest& request) {
      return Handle(request);
    };
    answering.refused = [this](int status) {
      std::lock_guard<std::mutex> lock(mutex_);
      refused_.push_back(status);
    };
    answering.refusal = refusal_;
    answering.body_bytes = 10;
    auto server = ServeHandler(
        "127.0.0.1:0", answering,
        [this](const std::string&, std::function<void()> body) {
          std::lock_guard<std::mutex> lock(mutex_);
          threads_.emplace_back(std::move(body));
          return absl::OkStatus();
        },
        options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  HttpResponse Handle(const HttpRequest& request) {
    HttpResponse response;
    response.body =
        absl::StrCat(request.method, " ", request.target, " ", request.body);
    response.headers["X-Peer"] = request.peer;
    if (request.target == "/big") response.body = std::string(64 << 20, 'b');
    if (request.target != "/held") return response;
    std::unique_lock<std::mutex> lock(mutex_);
    ++held_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return may_go_; });
    return response;
  }

  void AwaitHeld() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return held_ > 0; });
  }

  void LetGo() {
    std::lock_guard<std::mutex> lock(mutex_);
    may_go_ = true;
    changed_.notify_all();
  }

  std::string Exchange(std::string_view request) {
    RawClient client(server_->port());
    client.Send(request);
    return client.ReceiveAll();
  }

  decltype(Answering::refusal) refusal_;
  ServerOptions options_;
  std::mutex mutex_;
  std::vector<int> refused_;
  std::unique_ptr<HandlerServer> server_;

 private:
  std::condition_variable changed_;
  std::vector<std::thread> threads_;
  int held_ = 0;
  bool may_go_ = false;
};

TEST_F(ServeHandlerTest, EachMethodHasItsBody) {
  Serve();
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH"}) {
    EXPECT_EQ(
        BodyOf(Exchange(absl::StrCat(
            method, " /a%20b?c HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"))),
        absl::StrCat(method, " /a%20b?c abc"));
  }
  EXPECT_THAT(
      Exchange("GET / HTTP/1.0\r\nX-Peer: 1\r\n\r\n"),
      ::testing::ContainsRegex("\r\nX-Peer: 127\\.0\\.0\\.1:[0-9]+\r\n"));
}

TEST_F(ServeHandlerTest, WhatIsRefusedIsTold) {
  Serve();
  EXPECT_EQ(StatusOf(Exchange("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n")),
            413);
  EXPECT_EQ(StatusOf(Exchange("\x16\x03\x01")), 400);
  EXPECT_EQ(StatusOf(Exchange("GET /\x01 HTTP/1.1\r\n\r\n")), 400);
  EXPECT_EQ(StatusOf(Exchange("GET / HTTP/1.1\r\na: b\nc: d\r\n\r\n")), 400);
  std::lock_guard<std::mutex> lock(mutex_);
  EXPECT_THAT(refused_, ElementsAre(413, 400, 400, 400));
}

TEST_F(ServeHandlerTest, BodiesAreRefusedInTheApisOwnForm) {
  refusal_ = [](const HttpRequest& head, int status,
                std::string_view sentence) {
    HttpResponse response;
    response.status = status;
    response.body = absl::StrCat("{", head.method, " ", head.target, ": ",
                                 std::string(sentence), "}");
    return response;
  };
  Serve();
  const std::string length =
      Exchange("POST /a?b HTTP/1.1\r\nContent-Length: 11\r\n\r\n");
  EXPECT_EQ(StatusOf(length), 413);
  EXPECT_EQ(BodyOf(length), "{POST /a?b: The body is too large.}");
  EXPECT_EQ(BodyOf(Exchange("POST / HTTP/1.1\r\nTransfer-Encoding: chunked"
                            "\r\n\r\nb\r\nhello world\r\n0\r\n\r\n")),
            "{POST /: The body is too large.}");
  EXPECT_EQ(StatusOf(Exchange("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n")),
            400);
  std::lock_guard<std::mutex> lock(mutex_);
  EXPECT_THAT(refused_, ElementsAre(413, 413, 400));
}

TEST_F(ServeHandlerTest, RequestsThatRunOutliveThePort) {
  Serve();
  EXPECT_EQ(server_->connections(), 0u);
  RawClient client(server_->port());
  client.Send(kHeld);
  AwaitHeld();
  EXPECT_EQ(server_->connections(), 1u);
  server_->StopListening();
  server_->StopListening();
  while (RawClient(server_->port()).Send("x")) {
  }
  // Those that came before the port was closed have left, and are noticed soon.
  while (server_->connections() > 1) std::this_thread::yield();
  EXPECT_EQ(server_->connections(), 1u);
  LetGo();
  EXPECT_THAT(client.ReceiveAll(), EndsWith("GET /held "));
  server_->Stop();
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(ServeHandlerTest, ResponsesAreBoundedInTime) {
  options_.limits.response_timeout = absl::Milliseconds(100);
  Serve();
  RawClient client(server_->port());
  client.Send("GET /big HTTP/1.0\r\n\r\n");
  // More than the sockets hold, and nobody reads.
  while (server_->connections() == 0) {
  }
  while (server_->connections() > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_LT(BodyOf(client.ReceiveAll()).size(), size_t{64} << 20);
}

}  // namespace
}  // namespace wallprof::http
