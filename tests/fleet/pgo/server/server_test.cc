#include "fleet/pgo/server/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/base/worker.h"
#include "fleet/pgo/names.h"
#include "fleet/pgo/server/worker_metrics.h"
#include "tests/fleet/pgo/profile/cpu_profiles.h"
#include "tests/fleet/pgo/server/memory_engines.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Json = nlohmann::json;

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options_.log = [this](const fleet::LogLine& line) {
      log_.push_back(line.text());
    };
    options_.warn = options_.log;
  }

  HttpResponse Send(const std::string& method, const std::string& target,
                    const std::string& body = "",
                    std::map<std::string, std::string> headers = {}) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = std::move(headers);
    return server().Handle(request);
  }

  HttpResponse Upload(const std::string& target = "/api/profile/shop",
                      std::map<std::string, std::string> headers = {}) {
    return Send("POST", target, good_, std::move(headers));
  }

  // The message of an error, which must have this status.
  std::string ErrorOf(const HttpResponse& response, int status) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.headers.at("Content-Type"), "application/json");
    const Json json = Json::parse(response.body, nullptr, false);
    EXPECT_EQ(json.value("code", 0), status) << response.body;
    return json.value("message", "");
  }

  std::string KeyOf(const HttpResponse& response) {
    EXPECT_EQ(response.status, 201) << response.body;
    return Json::parse(response.body).value("key", "");
  }

  // Merges what is staged.
  void Merge() {
    WorkerOptions options;
    options.log = options_.log;
    options.warn = options_.warn;
    Worker worker(store_, events_, events_, std::move(options));
    AddWorkerMetrics(worker, metrics_);
    const absl::Status swept = worker.Sweep();
    EXPECT_TRUE(swept.ok()) << swept;
    metrics_text_ = metrics_.Text();
  }

  Server& server() {
    if (!server_) server_.emplace(store_, events_, health_, metrics_, options_);
    return *server_;
  }

  int64_t CountOf(const std::string& result) {
    return metrics_
        .AddCounter("wallprof_pgo_uploads_total", "", {{"result", result}})
        .value();
  }

  const std::string good_ =
      EncodePprof(CpuProfile({{{"main", "work"}, {7, 70'000'000}}}));
  std::vector<std::string> log_;
  MemoryObjects objects_;
  MemoryVersions versions_;
  BaseStore store_{objects_, versions_};
  KeptEvents events_;
  Health health_;
  serving::Metrics metrics_;
  std::string metrics_text_;
  ServerOptions options_;
  std::optional<Server> server_;
};

TEST_F(ServerTest, StagesWhatIsUploadedAndTellsOfIt) {
  const std::string key = KeyOf(Upload("/api/profile/shop?version=1.2"));
  EXPECT_THAT(key, StartsWith("shop/staging/"));
  EXPECT_THAT(objects_.KeysOf("shop/staging/"), ElementsAre(key));
  ASSERT_THAT(events_.events, SizeIs(1));
  EXPECT_EQ(events_.events[0].type, kUploaded);
  EXPECT_EQ(events_.events[0].app, "shop");
  EXPECT_EQ(events_.events[0].profile_key, key);
  ASSERT_THAT(log_, SizeIs(1));
  EXPECT_THAT(log_[0], StartsWith(absl::StrCat("event=pgo_profile_staged key=",
                                               key, " version=1.2 bytes=")));
  EXPECT_EQ(CountOf("staged"), 1);
}

TEST_F(ServerTest, OneIdIsOneProfile) {
  const int64_t id = absl::ToUnixNanos(absl::Now());
  const std::map<std::string, std::string> headers = {
      {"idempotency-key", absl::StrCat(id)}};
  const std::string key = StagingKey("shop", id);
  EXPECT_EQ(KeyOf(Upload("/api/profile/shop", headers)), key);
  EXPECT_EQ(KeyOf(Upload("/api/profile/shop", headers)), key);
  EXPECT_THAT(objects_.KeysOf("shop/staging/"), ElementsAre(key));
  EXPECT_NE(KeyOf(Upload()), KeyOf(Upload()));
}

TEST_F(ServerTest, AnIdIsATimeOfToday) {
  options_.now = [] { return absl::FromUnixSeconds(1'700'000'000); };
  const std::pair<const char*, bool> cases[] = {
      {"1700000000000000000", true},
      {"1700086400000000000", true},
      {"1699913600000000000", true},
      {"1700086400000000001", false},
      {"1699913599999999999", false},
      {"0", false},
      {"-1", false},
      {"", false},
      {"now", false},
      {"99999999999999999999", false}};
  for (const auto& [id, is_taken] : cases) {
    const HttpResponse response =
        Upload("/api/profile/shop", {{"idempotency-key", id}});
    if (is_taken) {
      EXPECT_EQ(response.status, 201) << id;
    } else {
      EXPECT_THAT(ErrorOf(response, 400), StartsWith("Idempotency-Key: '"));
    }
  }
}

TEST_F(ServerTest, WhatCannotBeToldIsKeptAllTheSame) {
  events_.broken = absl::UnavailableError("no bus");
  const std::string key = KeyOf(Upload());
  EXPECT_THAT(objects_.KeysOf("shop/staging/"), ElementsAre(key));
  EXPECT_THAT(
      log_.back(),
      StartsWith("event=pgo_event_not_published type=profile.uploaded app=shop "
                 "error=\"no bus\""));
  EXPECT_THAT(metrics_.Text(), HasSubstr("wallprof_pgo_unpublished_total{type="
                                         "\"profile.uploaded\"} 1\n"));
  events_.broken = absl::OkStatus();
  Merge();
  EXPECT_EQ(Send("GET", "/api/profile/shop").status, 200);
}

TEST_F(ServerTest, RefusesWhatIsNoProfile) {
  EXPECT_THAT(ErrorOf(Send("POST", "/api/profile/shop", "hello"), 400),
              HasSubstr("this is no profile"));
  EXPECT_THAT(ErrorOf(Send("POST", "/api/profile/shop"), 400),
              HasSubstr("nothing was sent"));
  EXPECT_THAT(objects_.KeysOf(""), IsEmpty());
  EXPECT_THAT(events_.events, IsEmpty());
  EXPECT_THAT(log_.back(), StartsWith("event=pgo_profile_refused app=shop"));
  EXPECT_EQ(CountOf("refused"), 2);
}

TEST_F(ServerTest, RefusesWhatIsTooLarge) {
  options_.limits.message_bytes = 10;
  EXPECT_THAT(ErrorOf(Upload(), 413), HasSubstr("more than 10 bytes"));
  EXPECT_EQ(CountOf("too_large"), 1);
}

TEST_F(ServerTest, SaysWhatIsWrongWithARequest) {
  struct Case {
    const char* method;
    const char* target;
    int status;
    const char* words;
  } cases[] = {
      {"POST", "/api/profile/Shop", 400, "invalid app name"},
      {"GET", "/api/profile/", 400, "invalid app name: it is empty"},
      {"GET", "/api/profile/a%2Fb", 400, "invalid app name"},
      {"DELETE", "/api/profile/a.b", 400, "invalid app name"},
      {"GET", "/api/profile/a/b", 404, "there is nothing at"},
      {"GET", "/", 404, "there is nothing at '/'"},
      {"GET", "/api/profiles", 404, "there is nothing at"},
      {"PUT", "/api/profile/shop", 405, "method 'PUT' is not allowed"},
      {"PATCH", "/api/profile/shop", 405, "method 'PATCH' is not allowed"},
      {"POST", "/api/profile", 405, "method 'POST' is not allowed"},
      {"DELETE", "/api/profile", 405, "method 'DELETE' is not allowed"},
      {"POST", "/api/health", 405, "method 'POST' is not allowed"},
      {"GET", "/api/profile?a=b", 400, "a"},
      {"GET", "/api/profile/shop?version=1", 400, "version"},
      {"POST", "/api/profile/shop?version=1&version=2", 400, "version"},
      {"POST", "/api/profile/shop?v=1", 400, "v"},
      {"DELETE", "/api/profile/shop?a=b", 400, "a"},
      {"GET", "/api/profile/shop", 404, "shop"},
      {"HEAD", "/api/profile/shop", 404, "shop"},
      {"DELETE", "/api/profile/shop", 404, "shop"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(absl::StrCat(c.method, " ", c.target));
    EXPECT_THAT(ErrorOf(Send(c.method, c.target), c.status),
                HasSubstr(c.words));
  }
  EXPECT_EQ(Send("PUT", "/api/profile/shop").headers.at("Allow"),
            "GET, HEAD, POST, DELETE");
  EXPECT_EQ(Send("PUT", "/api/profile").headers.at("Allow"), "GET, HEAD");
}

TEST_F(ServerTest, HandsOutTheBase) {
  KeyOf(Upload());
  KeyOf(Upload());
  Merge();
  const HttpResponse response = Send("GET", "/api/profile/shop");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.headers.at("Content-Type"), "application/octet-stream");
  EXPECT_EQ(response.headers.at("Content-Disposition"),
            "attachment; filename=\"default.pgo\"");
  const auto base = DecodePprof(response.body);
  ASSERT_TRUE(base.ok()) << base.status();
  ASSERT_THAT(base->samples, SizeIs(1));
  EXPECT_THAT(base->samples[0].values, ElementsAre(14, 140'000'000));
  const HttpResponse head = Send("HEAD", "/api/profile/shop");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers, response.headers);
}

TEST_F(ServerTest, Lists) {
  EXPECT_EQ(Send("GET", "/api/profile").body, "{\"profiles\":[]}\n");
  KeyOf(Upload("/api/profile/shop"));
  KeyOf(Upload("/api/profile/bank"));
  Merge();
  const Json list =
      Json::parse(Send("GET", "/api/profile").body).at("profiles");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].at("key"), "bank");
  EXPECT_EQ(list[1].at("key"), "shop");
  EXPECT_EQ(list[0].at("size"), Send("GET", "/api/profile/bank").body.size());
  absl::Time modified;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full,
                              list[0].at("lastModified").get<std::string>(),
                              &modified, nullptr));
  EXPECT_LT(absl::AbsDuration(absl::Now() - modified), absl::Hours(1));
}

TEST_F(ServerTest, DeletesBeforeItAnswers) {
  KeyOf(Upload("/api/profile/shop"));
  KeyOf(Upload("/api/profile/shop-too"));
  Merge();
  KeyOf(Upload("/api/profile/shop"));
  const HttpResponse response = Send("DELETE", "/api/profile/shop");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.body, "{}\n");
  EXPECT_THAT(objects_.KeysOf("shop/"), IsEmpty());
  EXPECT_EQ(events_.events.back().type, kDeleted);
  EXPECT_EQ(events_.events.back().app, "shop");
  EXPECT_EQ(Send("GET", "/api/profile/shop").status, 404);
  EXPECT_EQ(Send("DELETE", "/api/profile/shop").status, 404);
  EXPECT_EQ(Send("GET", "/api/profile/shop-too").status, 200);
}

TEST_F(ServerTest, WhatIsDeletedIsDeletedThoughItCannotBeTold) {
  KeyOf(Upload());
  Merge();
  events_.broken = absl::UnavailableError("no bus");
  EXPECT_EQ(Send("DELETE", "/api/profile/shop").status, 200);
  EXPECT_THAT(log_.back(),
              StartsWith("event=pgo_event_not_published type=profile.deleted"));
  EXPECT_EQ(Send("GET", "/api/profile/shop").status, 404);
}

TEST_F(ServerTest, EnginesThatFailAreSaid) {
  const std::pair<absl::Status, int> cases[] = {
      {absl::UnavailableError("away"), 503},
      {absl::AbortedError("too many at once"), 503},
      {absl::ResourceExhaustedError("full"), 507},
      {absl::PermissionDeniedError("locked"), 500},
      {absl::DataLossError("torn"), 500}};
  for (const auto& [status, code] : cases) {
    SCOPED_TRACE(status.ToString());
    const std::string words(status.message());
    objects_.broken = status;
    EXPECT_THAT(ErrorOf(Upload(), code), HasSubstr(words));
    objects_.broken = absl::OkStatus();
    versions_.broken = status;
    for (const auto& [method, target] : {std::pair{"GET", "/api/profile"},
                                         {"GET", "/api/profile/shop"},
                                         {"HEAD", "/api/profile/shop"},
                                         {"DELETE", "/api/profile/shop"}}) {
      SCOPED_TRACE(absl::StrCat(method, " ", target));
      EXPECT_THAT(ErrorOf(Send(method, target), code), HasSubstr(words));
    }
    versions_.broken = absl::OkStatus();
  }
  EXPECT_EQ(CountOf("failed"), 5);
  objects_.broken = absl::UnavailableError("away");
  EXPECT_EQ(Upload().headers.at("Retry-After"), "5");
}

TEST_F(ServerTest, KnowsWhoMayDoWhat) {
  using serving::Scope;
  struct Case {
    const char* method;
    const char* path;
    const char* name;
    Scope scope;
  } cases[] = {
      {"GET", "/api/profile", "/api/profile", Scope::kRead},
      {"GET", "/api/profile/shop", "/api/profile/__app__", Scope::kRead},
      {"HEAD", "/api/profile/shop", "/api/profile/__app__", Scope::kRead},
      {"POST", "/api/profile/shop", "/api/profile/__app__", Scope::kWrite},
      {"DELETE", "/api/profile/shop", "/api/profile/__app__", Scope::kAdmin},
      {"GET", "/api/health", "/api/health", Scope::kNone},
      {"GET", "/api/ready", "/api/ready", Scope::kNone},
      {"GET", "/x", "other", Scope::kRead},
      {"DELETE", "/x", "other", Scope::kAdmin}};
  for (const Case& c : cases) {
    const serving::Route route = server().RouteOf(c.method, c.path);
    EXPECT_EQ(route.name, c.name);
    EXPECT_EQ(route.scope, c.scope) << c.method << " " << c.path;
  }
  EXPECT_THAT(ErrorOf(server().Refusal("/api/profile", 401, "A token."), 401),
              "A token.");
}

TEST_F(ServerTest, SaysHowItIs) {
  health_.Add("blob", [this] { return objects_.broken; });
  EXPECT_EQ(Send("GET", "/api/health").status, 200);
  objects_.broken = absl::UnavailableError("away");
  EXPECT_EQ(Send("GET", "/api/health").status, 503);
  EXPECT_EQ(Send("GET", "/api/ready").status, 200);
}

TEST_F(ServerTest, PoisonInTheStoreIsPutAside) {
  KeyOf(Upload());
  const std::string key = StagingKey("shop", absl::ToUnixNanos(absl::Now()));
  ASSERT_TRUE(objects_.Put(key, "poison").ok());
  Merge();
  EXPECT_EQ(objects_.Get(QuarantineKey(key), 100).value(), "poison");
  const std::string reason = objects_.Get(ReasonKey(key), 1000).value();
  EXPECT_THAT(reason, HasSubstr("this is no profile"));
  EXPECT_THAT(objects_.KeysOf(key), IsEmpty());
  EXPECT_THAT(log_, ::testing::Contains(::testing::AllOf(
                        HasSubstr("event=pgo_profile_put_aside"),
                        HasSubstr(QuarantineKey(key)),
                        HasSubstr("this is no profile"))));
  EXPECT_THAT(metrics_text_, HasSubstr("wallprof_pgo_quarantined_total 1\n"));
  EXPECT_THAT(metrics_text_, HasSubstr("wallprof_pgo_merged_total 1\n"));
  EXPECT_EQ(Send("GET", "/api/profile/shop").status, 200);
}

}  // namespace
}  // namespace wallprof::pgo
