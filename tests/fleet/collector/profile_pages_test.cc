// What goes in, comes out and is listed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/fleet/collector/api.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::collector {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kShop[] = "service=shop&type=wall&labels=host%3Ddb-1";

TEST_F(ApiTest, UploadSaysWhatIsKept) {
  const nlohmann::json info = BodyOf(
      Send("POST",
           "/api/0/profiles?service=shop&type=wall&labels=zone%3Deu,host%3Ddb",
           PprofOf("main;work 10\n")));
  EXPECT_EQ(info["service"], "shop");
  EXPECT_EQ(info["type"], "wall");
  EXPECT_EQ(info["created_at"], "2026-01-02T03:12:00Z");
  EXPECT_EQ(info["labels"].dump(),
            R"([{"key":"host","value":"db"},{"key":"zone","value":"eu"}])");
  EXPECT_EQ(info["id"].get<std::string>().size(), 26u);
}

TEST_F(ApiTest, LabelsAreUnescapedTwiceAndMayBeEmpty) {
  const nlohmann::json info =
      BodyOf(Send("POST",
                  "/api/0/profiles?service=shop&type=wall&labels=%2C%2C%20a%20"
                  "%3D%20b%253Dc%2C%3Dx",
                  PprofOf("main 10\n")));
  EXPECT_EQ(info["labels"].dump(), R"([{"key":"a","value":"b=c"}])");
}

TEST_F(ApiTest, BytesComeBackAsTheyWere) {
  const std::string sent = PprofOf("main;work 10\n");
  const std::string id = Upload(kShop, sent);
  const HttpResponse response = Get("/api/0/profiles/" + id);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.at("Content-Type"), "application/octet-stream");
  EXPECT_THAT(response.headers.at("Content-Disposition"), HasSubstr(id));
  EXPECT_EQ(*UnpackPprof(response.body, 1 << 20), *UnpackPprof(sent, 1 << 20));
}

TEST_F(ApiTest, AProfileThatWasNotPackedIsPacked) {
  const std::string message = *UnpackPprof(PprofOf("main 10\n"), 1 << 20);
  const std::string id = Upload(kShop, message);
  const HttpResponse response = Get("/api/0/profiles/" + id);
  EXPECT_THAT(response.body, StartsWith("\x1f\x8b"));
  EXPECT_EQ(*UnpackPprof(response.body, 1 << 20), message);
}

TEST_F(ApiTest, ATraceIsPassedThrough) {
  const std::string trace("go 1.19 trace\0\1\2", 16);
  const std::string id =
      Upload("service=shop&type=trace&created_at=2026-01-02T03:04:05", trace);
  EXPECT_EQ(Get("/api/0/profiles/" + id).body, trace);
  EXPECT_EQ(store::TimeOfProfileId(id), kNight - absl::Seconds(475));
}

TEST_F(ApiTest, TheProfilesOwnTimeCounts) {
  const std::string query =
      absl::StrCat(kShop, "&created_at=2025-06-07T08:09:10Z");
  EXPECT_EQ(store::TimeOfProfileId(Upload(query, PprofOf("main 1\n"))), kNight);
  EXPECT_EQ(store::TimeOfProfileId(
                Upload(query, PprofOf("main 1\n", absl::UnixEpoch()))),
            absl::FromCivil(absl::CivilSecond(2025, 6, 7, 8, 9, 10),
                            absl::UTCTimeZone()));
}

TEST_F(ApiTest, TheSameProfileSentAgainIsKeptOnce) {
  const std::string id = Upload(kShop, PprofOf("main 1\n"));
  EXPECT_EQ(Upload(kShop, PprofOf("main 1\n")), id);
  EXPECT_NE(Upload(kShop, PprofOf("main 2\n")), id);
  EXPECT_NE(Upload("service=shop&type=wall", PprofOf("main 1\n")), id);
  EXPECT_EQ(
      BodyOf(Get(absl::StrCat("/api/0/profiles?service=shop&", kHour))).size(),
      3u);
}

TEST_F(ApiTest, ASendersIdTellsProfilesApart) {
  const std::string target = absl::StrCat("/api/0/profiles?", kShop);
  const std::string body = PprofOf("main 1\n");
  const auto send = [&](const std::string& id) {
    return BodyOf(Send("POST", target, body, {{"x-wallprof-profile-id", id}}))
        .value("id", "");
  };
  EXPECT_EQ(send("a"), send("a"));
  EXPECT_NE(send("a"), send("b"));
}

TEST_F(ApiTest, BadUploadsAreRefusedWithAReason) {
  const std::string good = PprofOf("main 1\n");
  const auto error = [&](const std::string& query, const std::string& body) {
    return ErrorOf(Send("POST", "/api/0/profiles?" + query, body), 400);
  };
  EXPECT_EQ(error("type=cpu", good), "bad request: missing \"service\"");
  EXPECT_EQ(error("service=shop", good), "bad request: missing \"type\"");
  EXPECT_EQ(error("service=shop&type=walls", good),
            "bad request: unknown profile type");
  EXPECT_THAT(error("service=shop&type=cpu&created_at=then", good),
              StartsWith("bad request: bad \"created_at\" \"then\": time in "
                         "unsupported format \"then\""));
  EXPECT_THAT(error("service=shop&type=cpu&colour=red", good),
              HasSubstr("'colour' is not known here"));
  EXPECT_THAT(error("service=a%0ab&type=cpu", good),
              HasSubstr("control character"));
  EXPECT_THAT(error("service=shop&type=cpu", "nonsense"),
              StartsWith("malformed profile (could not parse pprof profile: "));
  EXPECT_THAT(error("service=shop&type=cpu", ""), HasSubstr("empty input"));
  EXPECT_THAT(error("service=shop&type=cpu", good.substr(0, good.size() / 2)),
              HasSubstr("decompressing profile"));
  EXPECT_EQ(error("service=shop&type=cpu", PprofOf("")),
            "malformed profile (could not parse pprof profile: profile is "
            "empty: no samples)");
  EXPECT_THAT(error("service=shop&type=trace", ""), HasSubstr("empty"));
  EXPECT_EQ(*store_.CountSeries(), 0);
}

TEST_F(ApiTest, TimesThatCannotBeAreRefused) {
  options_.limits.age = absl::Hours(24);
  const auto error = [&](absl::Time time) {
    return ErrorOf(Send("POST", absl::StrCat("/api/0/profiles?", kShop),
                        PprofOf("main 1\n", time)),
                   400);
  };
  EXPECT_THAT(error(kNow + absl::Hours(25)), HasSubstr("ahead of the"));
  EXPECT_THAT(error(kNow - absl::Hours(25)),
              HasSubstr("before all that is kept here"));
  Upload(kShop, PprofOf("main 1\n", kNow + absl::Hours(23)));
  Upload(kShop, PprofOf("main 1\n", kNow - absl::Hours(23)));
}

TEST_F(ApiTest, LimitsAreSaid) {
  options_.limits.samples = 2;
  options_.limits.depth = 3;
  options_.limits.labels = 1;
  options_.limits.name_bytes = 8;
  options_.limits.message_bytes = 1000;
  const auto error = [&](const std::string& query, const std::string& folded) {
    return ErrorOf(Send("POST", "/api/0/profiles?" + query, PprofOf(folded)),
                   413);
  };
  EXPECT_EQ(error(kShop, "a 1\nb 1\nc 1\n"),
            "the profile has 3 samples; at most 2 are taken");
  EXPECT_EQ(error(kShop, "a;b;c;d 1\n"),
            "the profile has 4 frames in a stack; at most 3 are taken");
  EXPECT_EQ(error("service=shop&type=cpu&labels=a%3D1,b%3D2", "a 1\n"),
            "there are 2 labels; at most 1 are taken");
  EXPECT_THAT(error("service=shopshops&type=cpu", "a 1\n"),
              HasSubstr("service's name has 9 bytes"));
  EXPECT_THAT(error("service=shop&type=cpu&labels=a%3D123456789", "a 1\n"),
              HasSubstr("the value of label a has 9 bytes"));
  const std::string bomb = PprofOf(std::string(100'000, 'x') + " 1\n");
  EXPECT_THAT(
      ErrorOf(Send("POST", absl::StrCat("/api/0/profiles?", kShop), bomb), 400),
      HasSubstr("more than 1000 bytes when unpacked"));
}

TEST_F(ApiTest, SeriesAreCounted) {
  options_.limits.series = 2;
  const auto target = [](int i) {
    return absl::StrCat("service=shop&type=wall&labels=request%3D", i);
  };
  Upload(target(1), PprofOf("main 1\n"));
  Upload(target(2), PprofOf("main 1\n"));
  EXPECT_THAT(
      ErrorOf(Send("POST", "/api/0/profiles?" + target(3), PprofOf("main 1\n")),
              429),
      HasSubstr("at most 2"));
  Upload(target(2), PprofOf("main 2\n"));
  collector_.emplace(store_, options_);
  Upload(target(1), PprofOf("main 3\n"));
}

TEST_F(ApiTest, ListIsInTheOrderOfTime) {
  for (const int minutes : {3, 1, 2}) {
    Upload(kShop, PprofOf("main 1\n", kNight + absl::Minutes(minutes)));
  }
  const nlohmann::json list =
      BodyOf(Get(absl::StrCat("/api/0/profiles?service=shop&", kHour)));
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0]["created_at"], "2026-01-02T03:13:00Z");
  EXPECT_EQ(list[2]["created_at"], "2026-01-02T03:15:00Z");
  const nlohmann::json newest =
      BodyOf(Get(absl::StrCat("/api/0/profiles?service=shop&limit=2&", kHour)));
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0]["created_at"], "2026-01-02T03:14:00Z");
}

TEST_F(ApiTest, ALongListIsCutAndSaysSo) {
  options_.limits.listed = 2;
  for (int i = 0; i < 3; ++i) {
    Upload(kShop, PprofOf("main 1\n", kNight + absl::Seconds(i)));
  }
  const nlohmann::json json =
      JsonOf(Get(absl::StrCat("/api/0/profiles?service=shop&", kHour)));
  EXPECT_EQ(json["body"].size(), 2u);
  EXPECT_EQ(json["warning"], "these are the newest 2 of 3");
}

TEST_F(ApiTest, ListsByTypeLabelsAndSelector) {
  Upload("service=shop&type=wall&labels=host%3Ddb-1", PprofOf("main 1\n"));
  Upload("service=shop&type=cpu&labels=host%3Ddb-2", PprofOf("main 1\n"));
  Upload("service=till&type=wall&labels=host%3Dweb", PprofOf("main 1\n"));
  const auto count = [&](const std::string& query) {
    const HttpResponse response =
        Get(absl::StrCat("/api/0/profiles?", query, "&", kHour));
    return response.status == 404 ? 0 : BodyOf(response).size();
  };
  EXPECT_EQ(count("service=shop"), 2u);
  EXPECT_EQ(count("service=shop&type=cpu"), 1u);
  EXPECT_EQ(count("service=shop&labels=host%3Ddb-1"), 1u);
  EXPECT_EQ(count("service=shop&labels=host%3Ddb-1,zone%3Deu"), 0u);
  EXPECT_EQ(count("query=host%3D~%22db.*%22"), 2u);
  EXPECT_EQ(count("query=type%3D%22wall%22"), 2u);
  EXPECT_EQ(count("service=shop&query=host!%3D%22db-1%22"), 1u);
  EXPECT_EQ(count("service=none"), 0u);
}

TEST_F(ApiTest, ListSaysWhatIsMissing) {
  const auto error = [&](const std::string& query) {
    return ErrorOf(Get("/api/0/profiles?" + query), 400);
  };
  EXPECT_EQ(error(kHour), "bad request: missing \"service\"");
  EXPECT_EQ(error("service=shop&to=-1m"), "bad request: missing \"from\"");
  EXPECT_EQ(error("service=shop&from=-1m"), "bad request: missing \"to\"");
  EXPECT_THAT(error("service=shop&from=soon&to=-1m"),
              StartsWith("bad request: bad \"from\" timestamp \"soon\""));
  EXPECT_THAT(error("service=shop&from=-1m&to=-2m"),
              StartsWith("bad request: CreatedAtMin after CreatedAtMax"));
  EXPECT_THAT(error("service=shop&type=x&from=-2m&to=-1m"),
              HasSubstr("unknown profile type \"x\""));
  EXPECT_THAT(error("service=shop&limit=0&from=-2m&to=-1m"),
              StartsWith("bad request: bad \"limit\" \"0\""));
  EXPECT_THAT(error("query=service&from=-2m&to=-1m"),
              HasSubstr("at character 8 of the selector"));
}

TEST_F(ApiTest, TimesMayHaveManyForms) {
  Upload(kShop, PprofOf("main 1\n"));
  for (const std::string times :
       {"from=2026-01-02T03:12:00&to=2026-01-02T03:12:00",
        "from=2026-01-02T03:12:00.5Z&to=-1m",
        "from=2026-01-02T04:12:00%2B01:00&to=2026-01-02T03:13:00Z",
        "from=-1h&to=-47m", "from=1767323520&to=1767323521"}) {
    const HttpResponse response = Get("/api/0/profiles?service=shop&" + times);
    EXPECT_EQ(response.status,
              times.find(".5Z") == std::string::npos ? 200 : 404)
        << times << response.body;
  }
}

TEST_F(ApiTest, SeveralProfilesAreAddedUp) {
  const std::string a = Upload(kShop, PprofOf("main;a 1\n"));
  const std::string b = Upload(kShop, PprofOf("main;b 2\n"));
  EXPECT_EQ(FoldedOf(Get(absl::StrCat("/api/0/profiles/", a, "+", b))),
            "main;a 1\nmain;b 2\n");
  EXPECT_EQ(FoldedOf(Get(absl::StrCat("/api/0/profiles/", a, "%2B", a))),
            "main;a 2\n");
  const HttpResponse some = Get(absl::StrCat(
      "/api/0/profiles/", a, "+", store::MakeProfileId(kNight, "other")));
  EXPECT_EQ(FoldedOf(some), "main;a 1\n");
  EXPECT_EQ(some.headers.at("X-Wallprof-Warning"),
            "1 of 2 profiles are not there");
}

TEST_F(ApiTest, IdsThatAreNoneAreSaid) {
  EXPECT_EQ(ErrorOf(Get("/api/0/profiles/"), 400), "no profile id");
  EXPECT_EQ(ErrorOf(Get("/api/0/profiles/a++b"), 400), "no profile id");
  EXPECT_EQ(ErrorOf(Get("/api/0/profiles/nonsense"), 404), "nothing found");
}

TEST_F(ApiTest, ProfilesCanBeRemoved) {
  const std::string id = Upload(kShop, PprofOf("main 1\n"));
  EXPECT_EQ(BodyOf(Send("DELETE", "/api/0/profiles/" + id))["deleted"], 1);
  EXPECT_EQ(Get("/api/0/profiles/" + id).status, 404);
  EXPECT_EQ(Send("DELETE", "/api/0/profiles/" + id).status, 404);
}

TEST_F(ApiTest, ServicesLabelsAndSeriesAreListed) {
  EXPECT_EQ(ErrorOf(Get("/api/0/services"), 404), "nothing found");
  Upload("service=till&type=wall&labels=host%3Dweb", PprofOf("main 1\n"));
  Upload("service=shop&type=wall&labels=host%3Ddb-1,zone%3Deu",
         PprofOf("main 1\n"));
  Upload("service=shop&type=cpu&labels=host%3Ddb-2", PprofOf("main 1\n"));
  EXPECT_EQ(BodyOf(Get("/api/0/services")).dump(), R"(["shop","till"])");
  EXPECT_EQ(BodyOf(Get("/api/0/labels")).dump(), R"(["host","zone"])");
  EXPECT_EQ(BodyOf(Get("/api/0/labels?service=till")).dump(), R"(["host"])");
  EXPECT_EQ(BodyOf(Get("/api/0/labels/host")).dump(),
            R"(["db-1","db-2","web"])");
  EXPECT_EQ(BodyOf(Get("/api/0/labels/type?service=shop")).dump(),
            R"(["cpu","wall"])");
  EXPECT_EQ(BodyOf(Get("/api/0/labels/none")).dump(), "[]");
  const nlohmann::json series =
      BodyOf(Get("/api/0/series?query=host%3D~%22db.*%22%2Ctype%3D%22wall%22"));
  EXPECT_EQ(
      series.dump(),
      R"([{"labels":[{"key":"host","value":"db-1"},{"key":"zone","value":"eu"}],"service":"shop","type":"wall"}])");
  EXPECT_EQ(BodyOf(Get("/api/0/series?from=-1m&to=-0s")).dump(), "[]");
}

TEST_F(ApiTest, TheSeedsFormWorks) {
  const nlohmann::json info =
      BodyOf(Send("POST",
                  "/api/0/profile?service=hotapp&instance_id=87cd&type=cpu&"
                  "labels=version%3D1.0.0",
                  PprofOf("main 5\n")));
  EXPECT_EQ(
      info["labels"].dump(),
      R"([{"key":"instance","value":"87cd"},{"key":"version","value":"1.0.0"}])");
  EXPECT_EQ(FoldedOf(Get(absl::StrCat("/api/0/profile?service=hotapp&type=cpu&"
                                      "labels=version%3D1.0.0&",
                                      kHour))),
            "main 5\n");
}

TEST_F(ApiTest, VersionSaysWhichTypesThereAre) {
  const nlohmann::json version = BodyOf(Get("/api/0/version"));
  EXPECT_EQ(version["version"], "1.2.3");
  EXPECT_EQ(version["commit"], "abc");
  EXPECT_THAT(version["types"].dump(), HasSubstr("\"lockwait\""));
}

TEST_F(ApiTest, WrongPathsAndMethodsAreSaid) {
  EXPECT_THAT(ErrorOf(Get("/api/0/profilesXYZ"), 404), HasSubstr("nothing at"));
  for (const auto& [method, target, allowed] :
       {std::tuple("PUT", "/api/0/profiles", "GET, HEAD, POST"),
        std::tuple("DELETE", "/api/0/profiles", "GET, HEAD, POST"),
        std::tuple("POST", "/api/0/profiles/merge", "GET, HEAD"),
        std::tuple("POST", "/api/0/profiles/abc", "GET, HEAD, DELETE"),
        std::tuple("GET", "/ingest", "POST")}) {
    const HttpResponse response = Send(method, target);
    EXPECT_EQ(response.status, 405) << target;
    EXPECT_EQ(response.headers.at("Allow"), allowed) << target;
  }
}

TEST_F(ApiTest, AStoreThatFailsIsSaid) {
  const std::string id = Upload(kShop, PprofOf("main 1\n"));
  store_.broken = absl::ResourceExhaustedError("the disk is full");
  const std::string upload = absl::StrCat("/api/0/profiles?", kShop);
  EXPECT_EQ(ErrorOf(Send("POST", upload, PprofOf("main 2\n")), 507),
            "the disk is full");
  store_.broken = absl::UnavailableError("no connection");
  const HttpResponse response = Send("POST", upload, PprofOf("main 2\n"));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.count("Retry-After"), 1u);
  for (const std::string target :
       {absl::StrCat("/api/0/profiles/", id),
        absl::StrCat("/api/0/profiles?service=shop&", kHour),
        std::string("/api/0/services"), std::string("/"),
        absl::StrCat("/api/0/profiles/merge?service=shop&type=wall&", kHour)}) {
    EXPECT_EQ(ErrorOf(Get(target), 503), "no connection") << target;
  }
}

TEST_F(ApiTest, RoutesAreNamedWithoutIds) {
  using serving::Scope;
  const Collector collector(store_, options_);
  const auto route = [&](const char* method, const char* path) {
    const serving::Route r = collector.RouteOf(method, path);
    return std::pair(std::string(r.name), r.scope);
  };
  EXPECT_EQ(route("GET", "/api/0/profiles/abc+def"),
            std::pair(std::string("/api/0/profiles/__id__"), Scope::kRead));
  EXPECT_EQ(route("DELETE", "/api/0/profiles/abc"),
            std::pair(std::string("/api/0/profiles/__id__"), Scope::kAdmin));
  EXPECT_EQ(route("POST", "/ingest"),
            std::pair(std::string("/ingest"), Scope::kWrite));
  EXPECT_EQ(route("GET", "/nowhere"),
            std::pair(std::string("other"), Scope::kRead));
}

TEST_F(ApiTest, RefusalsAreInTheEnvelope) {
  const Collector collector(store_, options_);
  EXPECT_EQ(ErrorOf(collector.Refusal("/api/0/top", 403, "no"), 403), "no");
  EXPECT_EQ(collector.Refusal("/", 401, "no").body, "no\n");
}

}  // namespace
}  // namespace wallprof::collector
