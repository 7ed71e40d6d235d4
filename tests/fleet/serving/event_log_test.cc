#include "fleet/serving/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fleet/serving/request_id.h"

namespace wallprof::serving {
namespace {

using ::testing::MatchesRegex;

std::string Written(LogFormat format, LogLevel level) {
  std::string written;
  EventLog log(format, LogLevel::kInfo,
               [&written](std::string_view line) { written += line; });
  log.Write(level, fleet::LogLine("ended").Add("by", "a b").Add("count", 3));
  return written;
}

TEST(EventLogTest, SaysWhenAndHowBad) {
  const std::string time = "[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z";
  EXPECT_THAT(Written(LogFormat::kLogfmt, LogLevel::kWarning),
              MatchesRegex("time=" + time +
                           " level=warn event=ended by=\"a b\" count=3\n"));
  EXPECT_THAT(Written(LogFormat::kJson, LogLevel::kError),
              MatchesRegex("\\{\"time\":\"" + time +
                           "\",\"level\":\"error\",\"event\":\"ended\","
                           "\"by\":\"a b\",\"count\":3\\}\n"));
}

TEST(EventLogTest, DropsWhatIsBelowItsLevel) {
  EXPECT_EQ(Written(LogFormat::kLogfmt, LogLevel::kDebug), "");
  EXPECT_NE(Written(LogFormat::kLogfmt, LogLevel::kInfo), "");
}

TEST(RequestIdTest, TakesWhatIsHarmlessOnly) {
  for (const char* good : {"a", "f-00.1_2:3/4+5=6@7"}) {
    EXPECT_TRUE(IsRequestId(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("a\r\nSet-Cookie: x"),
        std::string("a\"b"), std::string("<b>"), std::string("\xc3\xa4"),
        std::string("a\0b", 3), std::string(129, 'a')}) {
    EXPECT_FALSE(IsRequestId(bad)) << bad;
  }
}

TEST(RequestIdTest, AreMadeAsTheyAreTaken) {
  const std::string id = NewRequestId();
  EXPECT_THAT(id, MatchesRegex("[0-9a-f]{32}"));
  EXPECT_TRUE(IsRequestId(id));
  EXPECT_NE(id, NewRequestId());
}

}  // namespace
}  // namespace wallprof::serving
