#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fleet/collector/multipart.h"
#include "fleet/collector/pyroscope_name.h"
#include "tests/fleet/collector/api.h"

namespace wallprof::collector {
namespace {

using testing::HasSubstr;

constexpr char kForm[] = "multipart/form-data; boundary=\"x-y\"";

std::string FormOf(const std::string& name, const std::string& content) {
  return absl::StrCat("--x-y\r\nContent-Disposition: form-data; name=\"", name,
                      "\"; filename=\"p\"\r\nContent-Type: a/b\r\n\r\n",
                      content, "\r\n--x-y--\r\n");
}

TEST(MultipartTest, GivesTheParts) {
  const std::string body = absl::StrCat(
      "--x-y\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n2\r\n",
      FormOf("profile", ""));
  const auto parts = SplitForm(kForm, body);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].name, "a");
  EXPECT_EQ((*parts)[0].content, "1\r\n2");
  EXPECT_EQ((*parts)[1].name, "profile");
  EXPECT_EQ((*parts)[1].content, "");
}

TEST(MultipartTest, SaysWhatIsWrong) {
  const auto error = [](const std::string& type, const std::string& body) {
    return std::string(SplitForm(type, body).status().message());
  };
  const std::string good = FormOf("profile", "1");
  EXPECT_THAT(error("multipart/form-data", good), HasSubstr("no boundary"));
  EXPECT_THAT(error("multipart/form-data; boundary=", good),
              HasSubstr("no boundary"));
  EXPECT_THAT(error(kForm, "x" + good), HasSubstr("does not begin"));
  EXPECT_THAT(error(kForm, good.substr(0, good.size() - 12)),
              HasSubstr("cut short"));
  EXPECT_THAT(error(kForm, "--x-y\r\na: b\r\n\r\n1\r\n--x-y--"),
              HasSubstr("without a name"));
  EXPECT_THAT(error(kForm, "--x-y"), HasSubstr("cut short"));
  std::string many;
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&many, FormOf("a", "1").substr(0, 75), "\r\n");
  }
  EXPECT_FALSE(SplitForm(kForm, many).ok());
}

TEST(PyroscopeNameTest, IsAServiceATypeAndLabels) {
  const auto series =
      SeriesOfPyroscopeName(R"(shop.cpu{zone=eu, host="db-1",})");
  ASSERT_TRUE(series.ok()) << series.status();
  EXPECT_EQ(*series,
            (store::Series{"shop", "cpu", {{"host", "db-1"}, {"zone", "eu"}}}));
  EXPECT_EQ(SeriesOfPyroscopeName("a.b.wall")->service, "a.b");
  EXPECT_EQ(SeriesOfPyroscopeName("a.b.wall")->type, "wall");
  EXPECT_EQ(SeriesOfPyroscopeName("a.b")->service, "a.b");
  EXPECT_EQ(SeriesOfPyroscopeName("a.b")->type, "other");
  EXPECT_TRUE(SeriesOfPyroscopeName("a{__session_id__=7}")->labels.empty());
}

TEST(PyroscopeNameTest, SaysWhatIsWrong) {
  for (const std::string name :
       {"", "{a=b}", "shop{a=b", "shop{a}", "shop{=b}", ".cpu"}) {
    EXPECT_FALSE(SeriesOfPyroscopeName(name).ok()) << name;
  }
}

class IngestTest : public ApiTest {
 protected:
  // What was kept, as folded stacks of its default type.
  std::string Kept(const std::string& query) {
    return FoldedOf(Get(absl::StrCat("/api/0/profile?", query, "&", kHour)));
  }
};

constexpr char kTimes[] = "&from=1767323520&until=1767323530";

TEST_F(IngestTest, TakesFoldedStacks) {
  const HttpResponse response = Send(
      "POST",
      absl::StrCat("/ingest?name=shop.cpu%7Bhost%3Ddb%7D&sampleRate=50&"
                   "spyName=x&aggregationType=sum&units=samples&format=folded",
                   kTimes),
      "main;a 3\nmain;b 1\n");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(Kept("service=shop&type=cpu&labels=host%3Ddb"),
            "main;a 60000\nmain;b 20000\n");
}

TEST_F(IngestTest, TakesLines) {
  EXPECT_EQ(
      Send("POST", absl::StrCat("/ingest?name=shop.wall&format=lines", kTimes),
           "main;a\nmain;a\nmain;b\n")
          .status,
      200);
  EXPECT_EQ(Kept("service=shop&type=wall"), "main;a 20000\nmain;b 10000\n");
}

TEST_F(IngestTest, TakesOtherUnits) {
  EXPECT_EQ(
      Send("POST",
           absl::StrCat("/ingest?name=shop.inuse_space&units=bytes", kTimes),
           "main;a 4096\n")
          .status,
      200);
  EXPECT_EQ(Kept("service=shop&type=heap"), "main;a 4096\n");
}

TEST_F(IngestTest, TakesPprofAsItIsAndInParts) {
  const std::string pprof = PprofOf("main;a 7\n");
  EXPECT_EQ(Send("POST", "/ingest?name=shop.wall&format=pprof", pprof).status,
            200);
  EXPECT_EQ(Kept("service=shop&type=wall"), "main;a 7\n");
  EXPECT_EQ(
      Send("POST", "/ingest?name=till",
           FormOf("profile", PprofOf("main;b 7\n")), {{"content-type", kForm}})
          .status,
      200);
  EXPECT_EQ(Kept("service=till&type=cpu"), "main;b 7\n");
}

TEST_F(IngestTest, TimesMayBeFine) {
  for (const std::string from : {"1767323521", "1767323521000",
                                 "1767323521000000", "1767323521000000000"}) {
    EXPECT_EQ(
        Send("POST", absl::StrCat("/ingest?name=s", from, ".cpu&from=", from),
             "main 1\n")
            .status,
        200);
  }
  const nlohmann::json list = BodyOf(
      Get(absl::StrCat("/api/0/profiles?query=type%3D%22cpu%22&", kHour)));
  ASSERT_EQ(list.size(), 4u);
  for (const nlohmann::json& info : list) {
    EXPECT_EQ(info["created_at"], "2026-01-02T03:12:01Z");
  }
}

TEST_F(IngestTest, SaysWhatIsWrong) {
  const auto error = [&](const std::string& query, const std::string& body,
                         std::map<std::string, std::string> headers = {}) {
    return ErrorOf(Send("POST", "/ingest?" + query, body, headers), 400);
  };
  EXPECT_THAT(error("", "a 1\n"), HasSubstr("missing \"name\""));
  EXPECT_THAT(error("name=a&format=jfr", "a 1\n"),
              HasSubstr("format 'jfr' is not taken"));
  EXPECT_THAT(error("name=a&from=x", "a 1\n"), HasSubstr("bad \"from\""));
  EXPECT_THAT(error("name=a&sampleRate=0", "a 1\n"),
              HasSubstr("bad \"sampleRate\""));
  EXPECT_THAT(error("name=a", "a b\n"), HasSubstr("line 1"));
  EXPECT_THAT(error("name=a", ""), HasSubstr("no samples"));
  EXPECT_THAT(error("name=a&format=pprof", "x"), HasSubstr("malformed"));
  EXPECT_THAT(error("name=a&colour=red", "a 1\n"), HasSubstr("'colour'"));
  EXPECT_THAT(error("name=a", FormOf("other", "x"), {{"content-type", kForm}}),
              HasSubstr("no part \"profile\""));
}

}  // namespace
}  // namespace wallprof::collector
