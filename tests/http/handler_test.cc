#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/http/fake_source.h"
#include "wallprof/formats.h"
#include "wallprof/http.h"

namespace wallprof::http {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

constexpr char kText[] = "text/plain; charset=utf-8";

class HandlerTest : public ::testing::Test {
 protected:
  HttpResponse Send(const std::string& method, const std::string& target,
                    const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.headers["host"] = "localhost:6060";
    request.body = body;
    return handler_.Handle(request);
  }
  HttpResponse Get(const std::string& target) { return Send("GET", target); }

  // A 400 whose one sentence has `words`, given before any measuring.
  void ExpectBad(const std::string& target, const std::string& words) {
    SCOPED_TRACE(target);
    int before = source_.collects();
    HttpResponse response = Get(target);
    EXPECT_EQ(response.status, 400);
    EXPECT_THAT(response.body, AllOf(HasSubstr(words), EndsWith(".\n")));
    EXPECT_THAT(response.headers, Contains(Pair("Content-Type", kText)));
    EXPECT_THAT(response.headers, Contains(Pair("X-Go-Pprof", "1")));
    EXPECT_EQ(source_.collects(), before);
  }

  FakeSource source_;
  HttpHandler handler_{source_};
};

TEST_F(HandlerTest, RootWithSecondsGivesFoldedWallTime) {
  HttpResponse response = Get("/?seconds=2.5");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "main;nap() 2000\nmain;work() 3000\n");
  EXPECT_THAT(response.headers, Contains(Pair("Content-Type", kText)));
  EXPECT_EQ(source_.last_duration(), absl::Seconds(2.5));
  EXPECT_EQ(source_.last_frequency_hz(), 0);
}

TEST_F(HandlerTest, RootWithoutSecondsIsAPageOfItsOwn) {
  HttpResponse response = Get("/");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.headers,
              Contains(Pair("Content-Type", "text/html; charset=utf-8")));
  EXPECT_THAT(response.body,
              AllOf(HasSubstr("http://localhost:6060/?seconds=10"),
                    HasSubstr("href=\"threads\""), Not(HasSubstr("<script")),
                    Not(HasSubstr("src=")), Not(HasSubstr("@import"))));
  EXPECT_EQ(Get("/?").body, response.body);
  EXPECT_EQ(Get("/?debug=1").body, response.body);
  EXPECT_EQ(source_.collects(), 0);
}

TEST_F(HandlerTest, IndexShowsCommandsForTheMountPoint) {
  HttpRequest request;
  request.target = "/";
  request.headers["host"] = "10.0.0.1";
  request.mount_point = "/profiler";
  EXPECT_THAT(handler_.Handle(request).body,
              HasSubstr("http://10.0.0.1/profiler/threads"));
}

TEST_F(HandlerTest, ViewChoosesTheTime) {
  EXPECT_EQ(Get("/?seconds=1&view=cpu").body, "main;work() 1000\n");
  EXPECT_EQ(Get("/?seconds=1&view=offcpu").body,
            "main;nap() 2000\nmain;work() 2000\n");
}

TEST_F(HandlerTest, WhereOnlyCpuTimeIsMeasuredThatIsTheViewAndNoOther) {
  source_.stats.cpu_only = true;
  EXPECT_EQ(Get("/?seconds=1").body, Get("/?seconds=1&view=cpu").body);
  EXPECT_EQ(Get("/diff?seconds=1").status, 200);
  ExpectBad("/debug/pprof/wall?seconds=1", "only CPU time is measured");
  ExpectBad("/debug/fgprof?seconds=1", "only CPU time is measured");
  ExpectBad("/diff?seconds=1&before=cpu&after=wall", "not wall");
  ExpectBad("/?seconds=1&hz=100", "'hz' must be at most 0");
}

TEST_F(HandlerTest, ThreadsPutsNamesInFront) {
  EXPECT_EQ(Get("/?seconds=1&threads=1").body,
            "demo;main;nap() 2000\ndemo;main;work() 3000\n");
  EXPECT_EQ(Get("/?seconds=1&threads=0&lines=0").body,
            "main;nap() 2000\nmain;work() 3000\n");
}

TEST_F(HandlerTest, LinesFollowTheNames) {
  EXPECT_EQ(Get("/?seconds=1&lines=1").body,
            "main (demo.cc:10);nap() (demo.cc:30) 2000\n"
            "main (demo.cc:10);work() (demo.cc:20) 3000\n");
  // A format that has them anyway takes it without effect.
  EXPECT_EQ(Get("/debug/pprof/wall?seconds=1&lines=1").status, 200);
}

TEST_F(HandlerTest, FrequencyReachesTheSource) {
  EXPECT_EQ(Get("/?seconds=1&hz=1000").status, 200);
  EXPECT_EQ(source_.last_frequency_hz(), 1000);
}

TEST_F(HandlerTest, WallProfileIsPprof) {
  HttpResponse response = Get("/debug/pprof/wall?seconds=3");
  ASSERT_EQ(response.status, 200);
  EXPECT_THAT(response.headers,
              AllOf(Contains(Pair("Content-Type", "application/octet-stream")),
                    Contains(Pair("X-Content-Type-Options", "nosniff")),
                    Contains(Pair("Content-Disposition",
                                  "attachment; filename=\"wall.pb.gz\""))));
  absl::StatusOr<Profile> profile = DecodePprof(response.body);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(profile->default_sample_type, "wall");
  EXPECT_EQ(profile->samples.size(), 2u);
  EXPECT_EQ(source_.last_duration(), absl::Seconds(3));
}

TEST_F(HandlerTest, FgprofAnswersAsWall) {
  HttpResponse wall = Get("/debug/pprof/wall");
  EXPECT_EQ(source_.last_duration(), absl::Seconds(30));
  HttpResponse fgprof = Get("/debug/fgprof");
  EXPECT_EQ(source_.last_duration(), absl::Seconds(30));
  EXPECT_EQ(wall.body, fgprof.body);
  EXPECT_EQ(wall.headers, fgprof.headers);
}

TEST_F(HandlerTest, CpuProfileHasOnlyCpuTime) {
  HttpResponse response = Get("/debug/pprof/profile");
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(source_.last_duration(), absl::Seconds(30));
  absl::StatusOr<Profile> profile = DecodePprof(response.body);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_THAT(profile->sample_types,
              ElementsAre(ValueType{"samples", "count"},
                          ValueType{"cpu", "nanoseconds"}));
  EXPECT_EQ(profile->default_sample_type, "cpu");
  EXPECT_EQ(profile->samples.size(), 1u);
}

TEST_F(HandlerTest, AnyProfilePathGivesEitherFormat) {
  EXPECT_EQ(Get("/debug/pprof/profile?format=folded").body,
            "main;work() 1000\n");
  EXPECT_EQ(Get("/?seconds=30&format=pprof").body,
            Get("/debug/pprof/wall").body);
}

TEST_F(HandlerTest, DiffMeasuresOneWindowOrTwo) {
  EXPECT_EQ(Get("/diff?seconds=2&before=cpu&after=wall").body,
            "main;nap() 0 2000\nmain;work() 1000 3000\n");
  EXPECT_EQ(source_.collects(), 1);
  HttpResponse response = Get("/diff?seconds=2&format=pprof");
  EXPECT_EQ(response.headers["Content-Disposition"],
            "attachment; filename=\"diff.pb.gz\"");
  EXPECT_EQ(source_.collects(), 3);
}

TEST_F(HandlerTest, DefaultWindowKeepsToTheHostsLimit) {
  HttpOptions options;
  options.max_seconds = absl::Seconds(10);
  HttpHandler handler(source_, options);
  HttpRequest request;
  request.target = "/debug/pprof/wall";
  EXPECT_EQ(handler.Handle(request).status, 200);
  EXPECT_EQ(source_.last_duration(), absl::Seconds(10));
  request.target = "/?seconds=11";
  HttpResponse response = handler.Handle(request);
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("at most 10, not '11'"));
}

TEST_F(HandlerTest, RefusesSecondsThatAreNoWindow) {
  for (const char* value :
       {"0", "0.0", "-1", "3601", "1e3", "nan", "inf", "0x10", "", "1.", ".5",
        "+1", "%201", "1%20", "1s", "1.2.3", "0.00000000000001",
        "99999999999999999999999999"}) {
    ExpectBad("/?seconds=" + std::string(value), "'seconds'");
    ExpectBad("/debug/pprof/profile?seconds=" + std::string(value),
              "'seconds'");
  }
  EXPECT_EQ(Get("/?seconds=3600").status, 200);
  EXPECT_EQ(Get("/?seconds=0.001").status, 200);
}

TEST_F(HandlerTest, RefusesOtherMalformedParameters) {
  for (const char* value : {"0", "1001", "-5", "99.5", "", "many"}) {
    ExpectBad("/?seconds=1&hz=" + std::string(value), "'hz'");
  }
  ExpectBad("/?seconds=1&view=Wall",
            "'view' must be wall, cpu, offcpu or blockedby");
  ExpectBad("/?seconds=1&format=xml", "'format'");
  ExpectBad("/?seconds=1&threads=yes", "'threads' must be 0 or 1, not 'yes'");
  ExpectBad("/?seconds=1&lines=2", "'lines'");
  ExpectBad("/?seconds=1&second=1", "'second' is not known");
  ExpectBad("/?seconds=1&seconds=1", "'seconds' is given twice");
  ExpectBad("/?seconds", "'seconds' has no value");
  ExpectBad("/?seconds=%", "'seconds'");
}

TEST_F(HandlerTest, RootNeedsSecondsBesideOtherParameters) {
  ExpectBad("/?hz=50", "'seconds' is required");
}

TEST_F(HandlerTest, PagesRefuseParametersTheyDoNotKnow) {
  ExpectBad("/stats?seconds=1", "'seconds' is not known here");
  ExpectBad("/threads?format=folded", "'format' must be text or json");
  ExpectBad("/metrics?format=json", "'format' is not known here");
  ExpectBad("/debug/pprof/?x=1", "'x'");
  ExpectBad("/debug/pprof/cmdline?x=1", "'x'");
  EXPECT_EQ(Get("/debug/pprof/?debug=1&gc=1").status, 200);
}

TEST_F(HandlerTest, EchoesNoMoreOfARequestThanIsSafe) {
  HttpResponse response = Get("/?seconds=%0D%0AX%3A" + std::string(1000, 'a'));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("'\\r\\nX:aaa"));
  EXPECT_LT(response.body.size(), 300u);
}

TEST_F(HandlerTest, UnknownPathsAreNotFound) {
  for (const char* target :
       {"/favicon.ico", "", "stats", "/stats/", "/debug/pprof/heap", "/debug",
        "//", "/debug/fgprof/?seconds=1", "*", "http://localhost/stats"}) {
    HttpResponse response = Get(target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_THAT(response.headers, Contains(Pair("X-Go-Pprof", "1")));
  }
  EXPECT_EQ(Send("POST", "/none").status, 404);
  EXPECT_EQ(source_.collects(), 0);
}

TEST_F(HandlerTest, WrongMethodsAreToldTheRightOnes) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    HttpResponse response = Send(method, "/?seconds=1");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_THAT(response.headers, Contains(Pair("Allow", "GET, HEAD")));
  }
  HttpResponse response = Send("PUT", "/debug/pprof/symbol");
  EXPECT_EQ(response.status, 405);
  EXPECT_THAT(response.headers, Contains(Pair("Allow", "GET, HEAD, POST")));
  EXPECT_EQ(source_.collects(), 0);
}

TEST_F(HandlerTest, HeadHasTheHeadersOfGetAndMeasuresNothing) {
  for (const char* target :
       {"/?seconds=1", "/", "/debug/pprof/wall", "/debug/pprof/profile",
        "/threads?format=json", "/stats", "/metrics", "/debug/pprof/",
        "/debug/pprof/cmdline", "/debug/pprof/symbol", "/?seconds=0",
        "/none"}) {
    int before = source_.collects();
    HttpResponse head = Send("HEAD", target);
    EXPECT_EQ(source_.collects(), before) << target;
    EXPECT_EQ(head.body, "") << target;
    HttpResponse get = Get(target);
    EXPECT_EQ(head.status, get.status) << target;
    EXPECT_EQ(head.headers, get.headers) << target;
  }
}

TEST_F(HandlerTest, ForeignHostsAreForbidden) {
  HttpRequest request;
  request.target = "/threads";
  for (const char* host : {"evil.example", "evil.example:6060"}) {
    request.headers["host"] = host;
    HttpResponse response = handler_.Handle(request);
    EXPECT_EQ(response.status, 403);
    EXPECT_THAT(response.body, HasSubstr(host));
  }
  request.headers.erase("host");
  EXPECT_EQ(handler_.Handle(request).status, 200);
}

TEST_F(HandlerTest, NamesThatTheProgramAllowsAreNot) {
  HttpOptions options;
  options.allowed_hosts = {"build-7"};
  HttpHandler handler(source_, options);
  HttpRequest request;
  request.target = "/threads";
  request.headers["host"] = "build-7:6060";
  EXPECT_EQ(handler.Handle(request).status, 200);
}

TEST_F(HandlerTest, MeasurementsBeyondTheLimitAreAskedToComeAgain) {
  HttpOptions options;
  options.max_measurements = 2;
  HttpHandler handler(source_, options);
  HttpRequest request;
  request.target = "/?seconds=1";
  source_.Hold();
  auto measure = [&] { EXPECT_EQ(handler.Handle(request).status, 200); };
  std::thread first(measure), second(measure);
  source_.AwaitHeld(2);
  HttpResponse response = handler.Handle(request);
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.headers, Contains(Key("Retry-After")));
  EXPECT_THAT(response.headers, Contains(Pair("X-Go-Pprof", "1")));
  HttpRequest metrics;
  metrics.target = "/metrics";
  EXPECT_THAT(handler.Handle(metrics).body,
              AllOf(HasSubstr("\nwallprof_http_measurements 2\n"),
                    HasSubstr("\nwallprof_http_refused_total 1\n")));
  source_.Release();
  first.join();
  second.join();
  EXPECT_EQ(handler.Handle(request).status, 200);
}

TEST_F(HandlerTest, AClientThatLeavesEndsItsMeasurement) {
  source_.Hold();
  HttpRequest request;
  request.target = "/?seconds=10";
  request.client_gone = [] { return true; };
  HttpResponse response = handler_.Handle(request);
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("ended early"));
}

TEST_F(HandlerTest, AnErrorOfTheSourceIsTold) {
  source_.result = absl::InternalError("the sampler is lost");
  HttpResponse response = Get("/?seconds=1");
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, HasSubstr("the sampler is lost"));
  EXPECT_THAT(response.headers, Contains(Pair("Content-Type", kText)));
}

TEST_F(HandlerTest, AViewThatAProfileLacksIsTold) {
  Profile cpu_only = SmallProfile();
  cpu_only.sample_types = {{"samples", "count"}, {"cpu", "nanoseconds"}};
  for (Sample& sample : cpu_only.samples) sample.values.pop_back();
  source_.result = cpu_only;
  EXPECT_EQ(Get("/?seconds=1&format=pprof&view=offcpu").status, 400);
}

TEST_F(HandlerTest, PagesComeAsTextUnlessJsonIsAskedFor) {
  HttpRequest request;
  for (const char* path : {"/threads", "/stats"}) {
    request.target = path;
    request.headers.erase("accept");
    EXPECT_THAT(handler_.Handle(request).headers,
                Contains(Pair("Content-Type", kText)));
    request.headers["accept"] = "application/json";
    EXPECT_THAT(handler_.Handle(request).headers,
                Contains(Pair("Content-Type", "application/json")));
    request.target += "?format=text";
    EXPECT_THAT(handler_.Handle(request).headers,
                Contains(Pair("Content-Type", kText)));
    EXPECT_THAT(Get(std::string(path) + "?format=json").headers,
                Contains(Pair("Content-Type", "application/json")));
  }
}

TEST_F(HandlerTest, CommandLineIsSeparatedByNuls) {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string expected{std::istreambuf_iterator<char>(file), {}};
  ASSERT_EQ(expected.back(), '\0');
  expected.pop_back();
  EXPECT_EQ(Get("/debug/pprof/cmdline").body, expected);
}

TEST_F(HandlerTest, SymbolsAreNamedByGetAndPost) {
  char address[32];
  snprintf(address, sizeof(address), "0x%lx",
           reinterpret_cast<unsigned long>(&getpid));
  HttpResponse get = Get("/debug/pprof/symbol?" + std::string(address));
  EXPECT_EQ(get.status, 200);
  EXPECT_THAT(get.body, AllOf(StartsWith("num_symbols: 1\n"),
                              HasSubstr(std::string(address) + " ")));
  HttpResponse post =
      Send("POST", "/debug/pprof/symbol", std::string(address) + "+0x1");
  EXPECT_EQ(post.body, get.body);
  EXPECT_EQ(Get("/debug/pprof/symbol").body, "num_symbols: 1\n");
  ExpectBad("/debug/pprof/symbol?0x1+main", "'main' is none");
  ExpectBad("/debug/pprof/symbol?12", "'12' is none");
  EXPECT_EQ(Send("POST", "/debug/pprof/symbol", "0x").status, 400);
}

}  // namespace
}  // namespace wallprof::http
