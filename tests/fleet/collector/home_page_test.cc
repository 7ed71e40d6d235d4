#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/fleet/collector/api.h"

namespace wallprof::collector {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(ApiTest, HomeOfAnEmptyStoreSaysHowToFillIt) {
  const HttpResponse page = Get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.at("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("wallprof agent --collector"));
}

TEST_F(ApiTest, HomeListsServicesAndLeadsToThem) {
  Upload("service=shop&type=wall&labels=host%3Ddb", PprofOf("main 1\n"));
  Upload("service=till&type=cpu", PprofOf("main 1\n"));
  const HttpResponse page = Get("/");
  EXPECT_THAT(page.body,
              HasSubstr("<a href=\"?service=shop&amp;type=wall\">shop</a>"));
  EXPECT_THAT(page.body,
              HasSubstr("<a href=\"?service=till&amp;type=cpu\">till</a>"));
}

TEST_F(ApiTest, HomeShowsATimeOfAService) {
  const std::string id =
      Upload("service=shop&type=wall&labels=host%3Ddb", PprofOf("main 1\n"));
  const HttpResponse page =
      Get(absl::StrCat("/?service=shop&type=wall&query=&labels=&", kHour));
  EXPECT_THAT(page.body, HasSubstr("<object type=\"image/svg+xml\" "
                                   "data=\"api/0/flamegraph?service=shop&amp;"
                                   "type=wall&amp;from=2026-01-02T03%3A00%3A"
                                   "00Z&amp;to=2026-01-02T04%3A00%3A00Z&amp;"
                                   "format=svg\">"));
  EXPECT_THAT(page.body, HasSubstr("1 profile</title>"));
  EXPECT_THAT(page.body, HasSubstr("api/0/profiles/" + id));
  EXPECT_THAT(page.body, HasSubstr("host=db"));
}

TEST_F(ApiTest, HomeSaysWhereNothingWasSent) {
  Upload("service=shop&type=wall", PprofOf("main 1\n"));
  const HttpResponse page = Get("/?service=shop&type=wall&from=-1m");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("Nothing was sent in this time."));
  EXPECT_THAT(page.body, Not(HasSubstr("<object")));
}

TEST_F(ApiTest, HomeSaysWhatIsWrongAndKeepsTheForm) {
  Upload("service=shop&type=wall", PprofOf("main 1\n"));
  const HttpResponse page = Get("/?service=shop&query=%3C%22x");
  EXPECT_EQ(page.status, 400);
  EXPECT_THAT(page.body, HasSubstr("a name expected at character 1"));
  EXPECT_THAT(page.body, HasSubstr("value=\"&lt;&quot;x\""));
  EXPECT_EQ(Get("/?colour=red").status, 400);
}

TEST_F(ApiTest, HomeEscapesNames) {
  Upload("service=%3Cb%3E&type=wall&labels=%22k%3D%26v", PprofOf("main 1\n"));
  const HttpResponse page = Get(absl::StrCat("/?service=%3Cb%3E&", kHour));
  EXPECT_THAT(page.body, Not(HasSubstr("<b>")));
  EXPECT_THAT(page.body, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(page.body, HasSubstr("&quot;k=&amp;v"));
}

}  // namespace
}  // namespace wallprof::collector
