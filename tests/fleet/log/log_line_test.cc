#include "fleet/log/log_line.h"

#include <gtest/gtest.h>

namespace wallprof::fleet {
namespace {

TEST(LogLineTest, StaysOneLineWhateverItIsTold) {
  EXPECT_EQ(LogLine("sent").Add("type", "wall").Add("bytes", 5).text(),
            "event=sent type=wall bytes=5");
  EXPECT_EQ(LogLine("x").Add("e", "a \"b\"\nc\x1b[0m").Add("f", "").text(),
            "event=x e=\"a \\\"b\\\"\\nc\\033[0m\" f=\"\"");
  LogLine("nobody listens").To(Log());
}

TEST(LogLineTest, IsJsonToo) {
  EXPECT_EQ(LogLine("sent").Add("type", "wall").Add("bytes", 5).json_members(),
            R"("event":"sent","type":"wall","bytes":5)");
  EXPECT_EQ(LogLine("x").Add("e", "a \"b\"\n\x1b\xff").json_members(),
            "\"event\":\"x\",\"e\":\"a \\\"b\\\"\\n\\u001b\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace wallprof::fleet
