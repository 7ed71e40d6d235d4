#include "wallprof/httplib_mount.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/http/fake_source.h"
#include "tests/http/raw_client.h"

namespace wallprof::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttplibMountTest : public ::testing::Test {
 protected:
  ~HttplibMountTest() override {
    if (!listener_.joinable()) return;
    server_.stop();
    listener_.join();
  }

  void Listen() {
    port_ = server_.bind_to_any_port("127.0.0.1");
    listener_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() before the server runs would be lost on it.
    while (!server_.is_running()) std::this_thread::yield();
  }

  std::string Exchange(std::string_view request) {
    RawClient client(port_);
    client.Send(request);
    return client.ReceiveAll();
  }
  std::string Fetch(std::string_view method, std::string_view target,
                    std::string_view more = "\r\n") {
    return Exchange(std::string(method) + " " + std::string(target) +
                    " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                    std::string(more));
  }

  FakeSource source_;
  HttpHandler handler_{source_};
  httplib::Server server_;
  int port_ = 0;

 private:
  std::thread listener_;
};

TEST_F(HttplibMountTest, ServesBelowThePrefix) {
  Mount(server_, handler_, "/profiler");
  Listen();
  EXPECT_EQ(BodyOf(Fetch("GET", "/profiler/?seconds=1")),
            "main;nap() 2000\nmain;work() 3000\n");
  EXPECT_EQ(BodyOf(Fetch("GET", "/profiler?seconds=1")),
            "main;nap() 2000\nmain;work() 3000\n");
  EXPECT_THAT(Fetch("GET", "/profiler/debug/pprof/wall?seconds=1"),
              AllOf(StartsWith("HTTP/1.1 200 "),
                    HasSubstr("Content-Type: application/octet-stream"),
                    HasSubstr("nosniff")));
  EXPECT_THAT(
      Fetch("GET", "/profiler/stats", "Accept: application/json\r\n\r\n"),
      HasSubstr("\r\n\r\n{\"version\""));
  EXPECT_THAT(Fetch("GET", "/profiler/"),
              HasSubstr("http://localhost/profiler/threads"));
}

TEST_F(HttplibMountTest, SendsTheBarePrefixToItsPage) {
  Mount(server_, handler_, "/profiler/");
  Listen();
  EXPECT_THAT(Fetch("GET", "/profiler"),
              AllOf(StartsWith("HTTP/1.1 302 "),
                    HasSubstr("Location: /profiler/\r\n")));
}

TEST_F(HttplibMountTest, LeavesTheHostsOwnPathsToIt) {
  server_.Get("/hello", [](const httplib::Request&, httplib::Response& r) {
    r.set_content("world", "text/plain");
  });
  Mount(server_, handler_, "");
  Listen();
  EXPECT_EQ(BodyOf(Fetch("GET", "/hello")), "world");
  EXPECT_EQ(BodyOf(Fetch("GET", "/?seconds=1")),
            "main;nap() 2000\nmain;work() 3000\n");
}

TEST_F(HttplibMountTest, TakesThePrefixLiterally) {
  Mount(server_, handler_, "/a.b(c)");
  Listen();
  EXPECT_EQ(StatusOf(Fetch("GET", "/a.b(c)/stats")), 200);
  EXPECT_EQ(StatusOf(Fetch("GET", "/aXb(c)/stats")), 404);
  EXPECT_EQ(StatusOf(Fetch("GET", "/a.b(c)stats")), 404);
}

TEST_F(HttplibMountTest, PassesOnWhatTheHandlerRefuses) {
  Mount(server_, handler_, "/profiler");
  Listen();
  EXPECT_THAT(Fetch("GET", "/profiler/?seconds=0"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("X-Go-Pprof: 1")));
  EXPECT_EQ(StatusOf(Fetch("GET", "/profiler/none")), 404);
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    EXPECT_THAT(Fetch(method, "/profiler/stats", "Content-Length: 0\r\n\r\n"),
                AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET")))
        << method;
  }
  EXPECT_THAT(Exchange("GET /profiler/stats HTTP/1.1\r\nHost: evil.example\r\n"
                       "Connection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 403 "));
}

TEST_F(HttplibMountTest, HeadMeasuresNothing) {
  Mount(server_, handler_, "/profiler");
  Listen();
  std::string response = Fetch("HEAD", "/profiler/?seconds=1");
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_EQ(BodyOf(response), "");
  EXPECT_EQ(source_.collects(), 0);
}

TEST_F(HttplibMountTest, ReadsPostedAddresses) {
  Mount(server_, handler_, "/profiler");
  Listen();
  EXPECT_EQ(BodyOf(Fetch("POST", "/profiler/debug/pprof/symbol",
                         "Content-Length: 3\r\n\r\n0x1")),
            "num_symbols: 1\n");
  EXPECT_EQ(StatusOf(Fetch("POST", "/profiler/debug/pprof/symbol",
                           "Content-Length: 3\r\n\r\nfoo")),
            400);
  EXPECT_EQ(StatusOf(Fetch("POST", "/profiler/debug/pprof/symbol",
                           "Content-Type: multipart/form-data; boundary=x\r\n"
                           "Content-Length: 5\r\n\r\n--x--")),
            200);
}

TEST_F(HttplibMountTest, LongPathsAreTheHostsToRefuse) {
  Mount(server_, handler_, "/profiler");
  Listen();
  EXPECT_EQ(StatusOf(Fetch("GET", "/profiler/" + std::string(7000, 'a'))), 404);
}

}  // namespace
}  // namespace wallprof::http
