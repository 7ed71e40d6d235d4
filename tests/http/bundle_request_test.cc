// Bundles over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/http/fake_source.h"
#include "wallprof/http.h"
#include "wallprof/variables.h"

namespace wallprof::http {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Pair;
using ::testing::StartsWith;

class BundleRequestTest : public ::testing::Test {
 protected:
  HttpResponse Send(const std::string& method, const std::string& target) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    return handler_.Handle(request);
  }
  HttpResponse Get(const std::string& target) { return Send("GET", target); }

  // A 400 whose one sentence has `words`, given before any measuring.
  void ExpectBad(const std::string& target, const std::string& words) {
    SCOPED_TRACE(target);
    const int before = source_.collects();
    const HttpResponse response = Get(target);
    EXPECT_EQ(response.status, 400);
    EXPECT_THAT(response.body, AllOf(HasSubstr(words), EndsWith(".\n")));
    EXPECT_EQ(source_.collects(), before);
  }

  FakeSource source_;
  HttpHandler handler_{source_};
};

// Of an entry of a zip.
constexpr char kZip[] = "PK\x03\x04";

TEST_F(BundleRequestTest, BundlesAreNamedForWhereTheyCameFrom) {
  const HttpResponse response = Get("/debug/profiles");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, AllOf(StartsWith(kZip), HasSubstr("meta")));
  EXPECT_THAT(response.headers,
              Contains(Pair("Content-Type", "application/zip")));
  EXPECT_THAT(
      response.headers,
      Contains(Pair("Content-Disposition",
                    ::testing::MatchesRegex(
                        "attachment; filename=\"profile_[a-z_]+_1-[0-9a-f]{8}-"
                        "[0-9a-f]{24}-[0-9]+_[0-9-]+T[0-9:.]+Z\\.zip\""))));
  EXPECT_EQ(source_.collects(), 0) << "no time was asked for";
  const HttpResponse head = Send("HEAD", "/debug/profiles?profile=5s");
  EXPECT_THAT(head.headers, Contains(Key("Content-Disposition")));
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(source_.collects(), 0);
}

TEST_F(BundleRequestTest, BundlesMeasureAsLongAsAskedFor) {
  EXPECT_EQ(Get("/debug/profiles?profile=2.5s").status, 200);
  EXPECT_EQ(source_.last_duration(), absl::Seconds(2.5));
  for (const char* wrong :
       {"", "5", "1ms", "1m", "%201s", "-1s", "0s", "1e2s", "%2b1s", "0x1p1s",
        "Infs", "NaNs", "3601s", "s", "5ss"}) {
    ExpectBad(std::string("/debug/profiles?profile=") + wrong, "'profile'");
  }
  ExpectBad("/debug/profiles?trace=1s", "'trace'");
  ExpectBad("/debug/profiles?seconds=1", "'seconds'");
  ExpectBad("/debug/profiles?profile=1s&profile=1s", "'profile'");
  EXPECT_EQ(Send("POST", "/debug/profiles").status, 405);
}

TEST_F(BundleRequestTest, AClientThatLeavesFreesItsBundle) {
  source_.Hold();
  std::atomic<bool> gone{false};
  HttpRequest request;
  request.target = "/debug/profiles?profile=60s";
  request.client_gone = [&gone] { return gone.load(); };
  std::thread client([&] { EXPECT_EQ(handler_.Handle(request).status, 503); });
  source_.AwaitHeld(1);
  gone = true;
  client.join();
  source_.AwaitCancelled(1);
}

TEST_F(BundleRequestTest, VariablesAreThoseOfThePrograms) {
  const Counter counter("handled");
  const HttpResponse response = Get("/debug/vars");
  EXPECT_THAT(response.headers,
              Contains(Pair("Content-Type", "application/json")));
  const nlohmann::json variables = nlohmann::json::parse(response.body);
  EXPECT_EQ(variables["handled"], 0);
  EXPECT_TRUE(variables["cmdline"].is_array());
  ExpectBad("/debug/vars?seconds=1", "'seconds'");
}

}  // namespace
}  // namespace wallprof::http
