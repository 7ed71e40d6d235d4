#include "http/server/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "absl/strings/str_cat.h"
#include "tests/http/server/serving.h"
#include "wallprof/formats.h"

namespace wallprof::http {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ExchangeTest : public Serving {};

TEST_F(ExchangeTest, HeadSendsNoBodyAndClaimsNoLength) {
  Serve();
  std::string response =
      Exchange("HEAD /debug/pprof/wall HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(
      response,
      AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("application/octet-stream"),
            Not(HasSubstr("Content-Length")), Not(HasSubstr("Accept-Ranges"))));
  EXPECT_EQ(BodyOf(response), "");
  EXPECT_EQ(source_.collects(), 0);
}

TEST_F(ExchangeTest, RangesAndEncodingsAreLeftOut) {
  Serve();
  std::string ranges = "bytes=0-0";
  while (ranges.size() < 8000) ranges += ",1-1";
  for (const std::string& range : {std::string("bytes=0-3"), ranges}) {
    std::string response = Exchange(absl::StrCat(
        "GET /?seconds=1 HTTP/1.1\r\nHost: localhost\r\nrange: ", range,
        "\r\nAccept-Encoding: br, gzip\r\n\r\n"));
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(response, Not(HasSubstr("Content-Encoding")));
    EXPECT_EQ(BodyOf(response), "main;nap() 2000\nmain;work() 3000\n");
  }
}

TEST_F(ExchangeTest, AClientThatEndsSendingStillGetsItsPage) {
  Serve();
  RawClient client(server_->port());
  client.Send("GET /stats HTTP/1.0\r\n\r\n");
  client.EndSending();
  EXPECT_EQ(StatusOf(client.ReceiveAll()), 200);
}

TEST_F(ExchangeTest, HugeHeadersAreRefused) {
  Serve();
  std::string many = "GET /stats HTTP/1.1\r\nHost: localhost\r\n";
  while (many.size() < limits_.head_bytes) many += "X-Padding: aaaaaaaa\r\n";
  EXPECT_THAT(Exchange(many + "\r\n"),
              StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
  EXPECT_EQ(StatusOf(Exchange("GET /stats HTTP/1.1\r\nX: " +
                              std::string(100000, 'a') + "\r\n\r\n")),
            431);
  EXPECT_EQ(StatusOf(Exchange("GET /stats?" + std::string(9000, 'a') +
                              " HTTP/1.1\r\n\r\n")),
            414);
}

TEST_F(ExchangeTest, GarbageIsRefused) {
  Serve();
  EXPECT_EQ(StatusOf(Exchange("\x16\x03\x01\x02garbage\r\n\r\n")), 400);
  EXPECT_EQ(StatusOf(Exchange("\r\n\r\n")), 400);
  EXPECT_EQ(StatusOf(Exchange("GET /stats\r\n\r\n")), 400);
  EXPECT_EQ(StatusOf(Exchange("GET /stats HTTP/2.0\r\n\r\n")), 400);
  EXPECT_EQ(StatusOf(Exchange("BREW / HTTP/1.1\r\n\r\n")), 400);
  std::string nuls(100, '\0');
  EXPECT_EQ(StatusOf(Exchange(nuls + "\r\n\r\n")), 400);
  RawClient cut(server_->port());
  cut.Send("GET /stats");
  cut.EndSending();
  EXPECT_EQ(StatusOf(cut.ReceiveAll()), 400);
  EXPECT_EQ(StatusOf(Get(server_->port(), "/stats")), 200);
}

TEST_F(ExchangeTest, SlowRequestsAreGivenUp) {
  limits_.request_timeout = absl::Milliseconds(50);
  Serve();
  RawClient head(server_->port());
  head.Send("GET /stats HTTP/1.1\r\nHost: loc");
  EXPECT_THAT(head.ReceiveAll(), StartsWith("HTTP/1.1 408 Request Timeout"));
  RawClient body(server_->port());
  body.Send(
      "POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Length: 100\r\n\r\n0x1");
  EXPECT_EQ(StatusOf(body.ReceiveAll()), 400);
}

std::string PostSymbol(const std::string& headers, const std::string& body) {
  return "POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\n" + headers +
         "\r\n" + body;
}

TEST_F(ExchangeTest, BodiesAreReadHoweverTheyAreFramed) {
  Serve();
  EXPECT_EQ(BodyOf(Exchange(PostSymbol("Content-Length: 3\r\n", "0x1"))),
            "num_symbols: 1\n");
  EXPECT_EQ(BodyOf(Exchange(PostSymbol("Transfer-Encoding: chunked\r\n",
                                       "2\r\n0x\r\n1\r\n1\r\n0\r\n\r\n"))),
            "num_symbols: 1\n");
  EXPECT_EQ(BodyOf(Exchange(PostSymbol("", ""))), "num_symbols: 1\n");
  std::string many = "0x1";  // more than a form may have in cpp-httplib
  while (many.size() < 100000) many += "+0x1";
  EXPECT_EQ(
      BodyOf(Exchange(PostSymbol(
          absl::StrCat("Content-Type: application/x-www-form-urlencoded\r\n",
                       "Content-Length: ", many.size(), "\r\n"),
          many))),
      "num_symbols: 1\n");
}

TEST_F(ExchangeTest, BodiesAreBounded) {
  limits_.request_bytes = 5000;
  Serve();
  std::string chunks;
  while (chunks.size() < 20000) chunks += "4\r\n+0x1\r\n";
  EXPECT_EQ(StatusOf(Exchange(PostSymbol("Transfer-Encoding: chunked\r\n",
                                         chunks + "0\r\n\r\n"))),
            400);
  EXPECT_EQ(StatusOf(Exchange(PostSymbol("Transfer-Encoding: chunked\r\n",
                                         std::string(20000, '1')))),
            400);
  EXPECT_EQ(StatusOf(Exchange(PostSymbol("Content-Length: 20000\r\n",
                                         std::string(20000, '1')))),
            400);
}

TEST_F(ExchangeTest, BodiesAreBoundedOnceUnpackedToo) {
  Serve();
  std::string plain(size_t{64} << 20, '1');
  uLongf size = compressBound(plain.size());
  std::string packed(size, '\0');
  ASSERT_EQ(
      compress(reinterpret_cast<Bytef*>(packed.data()), &size,
               reinterpret_cast<const Bytef*>(plain.data()), plain.size()),
      Z_OK);
  packed.resize(size);
  EXPECT_EQ(StatusOf(Exchange(PostSymbol(
                absl::StrCat("Content-Encoding: deflate\r\nContent-Length: ",
                             packed.size(), "\r\n"),
                packed))),
            413);
  EXPECT_EQ(StatusOf(Exchange(
                PostSymbol("Content-Type: multipart/form-data; boundary=x\r\n"
                           "Content-Length: 5\r\n",
                           "--x--"))),
            415);
}

TEST_F(ExchangeTest, ExpectedContinueIsSent) {
  Serve();
  RawClient client(server_->port());
  client.Send(PostSymbol("Expect: 100-continue\r\nContent-Length: 3\r\n", ""));
  client.Send("0x1");
  EXPECT_THAT(client.ReceiveAll(),
              AllOf(StartsWith("HTTP/1.1 100 Continue\r\n"),
                    EndsWith("num_symbols: 1\n")));
}

TEST_F(ExchangeTest, LargeResponsesArriveWhole) {
  Profile profile = SmallProfile();
  profile.functions[0].name = std::string(8 << 20, 'f');
  source_.result = profile;
  Serve();
  EXPECT_EQ(BodyOf(Get(server_->port(), "/?seconds=1")), EncodeFolded(profile));
}

}  // namespace
}  // namespace wallprof::http
