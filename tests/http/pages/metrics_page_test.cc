#include "http/pages/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>
#include <string>

#include "tests/http/pages/some_statistics.h"

namespace wallprof::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(MetricsPageTest, GivesCountersAndGauges) {
  EXPECT_THAT(
      MetricsText(SomeStatistics(), {2, 5}),
      AllOf(HasSubstr("# TYPE wallprof_ticks_total counter\n"
                      "wallprof_ticks_total 990\n"),
            HasSubstr("\nwallprof_cpu_seconds_total 0.031000\n"),
            HasSubstr("\nwallprof_unchanged_total 12345678901\n"),
            HasSubstr("\nwallprof_late_seconds_total 1.500000\n"),
            HasSubstr("\nwallprof_lost_total{reason=\"truncated\"} 3\n"),
            HasSubstr("\nwallprof_degraded{what=\"procfs-syscall\","
                      "why=\"EACCES\",instead=\"interrupt\"} 1\n"),
            HasSubstr("\nwallprof_http_measurements 2\n"),
            HasSubstr("\nwallprof_http_refused_total 5\n")));
}

TEST(MetricsPageTest, EveryLineIsOfTheExpositionFormat) {
  Statistics stats = SomeStatistics();
  stats.degraded = {{"a\"b", "c\\d", "e\nf"}};
  const std::regex comment(R"(# (HELP|TYPE) wallprof_[a-z_]+ .+)");
  const std::regex value(
      R"re(wallprof_[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? [0-9.]+)re");
  std::istringstream text(MetricsText(stats, {}));
  std::string line;
  int lines = 0;
  while (std::getline(text, line)) {
    ++lines;
    EXPECT_TRUE(std::regex_match(line, comment) ||
                std::regex_match(line, value))
        << line;
  }
  EXPECT_GT(lines, 40);
}

}  // namespace
}  // namespace wallprof::http
