#include "http/pages/stats_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "tests/http/pages/some_statistics.h"

namespace wallprof::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(StatsPageTest, JsonHasEveryFieldInItsPlace) {
  EXPECT_EQ(
      StatsJson(SomeStatistics()),
      absl::StrCat(
          R"({"version":")", WALLPROF_VERSION,
          R"(","hz":99,"achieved_hz":98.9,"ticks":990,"threads":12,)"
          R"("cpu_ns":31000000,"memory_bytes":8388608,)"
          R"("unchanged":12345678901,"memo_hits":930,"walks":41,)"
          R"("interrupts":17,"eintr_delivered":0,"measures":"wall",)"
          R"("source":"looks","lost":{"truncated":3,)"
          R"("overflow":0,"masked":0,"small_stack":0,"exited":0,"late":0,)"
          R"("unseen":4,"dropped":5},"degraded":[{"what":"procfs-syscall",)"
          R"("why":"EACCES","instead":"interrupt"}]})",
          "\n"));
}

TEST(StatsPageTest, NothingDegradedIsAnEmptyList) {
  nlohmann::json page = nlohmann::json::parse(StatsJson(Statistics()));
  EXPECT_EQ(page["degraded"], nlohmann::json::array());
}

TEST(StatsPageTest, ThatOnlyCpuTimeIsMeasuredIsSaid) {
  Statistics stats;
  stats.cpu_only = true;
  stats.source = "perf-events";
  const nlohmann::json page = nlohmann::json::parse(StatsJson(stats));
  EXPECT_EQ(page["measures"], "cpu");
  EXPECT_EQ(page["source"], "perf-events");
  EXPECT_THAT(StatsText(stats), HasSubstr("source             perf-events\n"));
}

TEST(StatsPageTest, RateThatIsNotKnownYetIsZero) {
  Statistics stats;
  stats.achieved_hz = 0.0 / 0.0;
  EXPECT_EQ(nlohmann::json::parse(StatsJson(stats))["achieved_hz"], 0);
}

TEST(StatsPageTest, TextHasARowForEachNumber) {
  EXPECT_THAT(StatsText(SomeStatistics()),
              AllOf(HasSubstr("achieved_hz        98.9\n"),
                    HasSubstr("cpu                31ms\n"),
                    HasSubstr("unchanged          12345678901\n"),
                    HasSubstr("lost.truncated     3\n"),
                    HasSubstr("degraded           procfs-syscall (EACCES): "
                              "interrupt\n")));
}

}  // namespace
}  // namespace wallprof::http
