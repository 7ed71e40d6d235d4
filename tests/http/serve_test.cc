// The server over a real profiler.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/http/raw_client.h"
#include "wallprof/http.h"

namespace wallprof::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Descriptors of the test's own table. Asked for one by one: a directory opened
// to list them would be one more.
int CountDescriptors() {
  int count = 0;
  for (int number = 0; number < 1024; ++number) {
    if (fcntl(number, F_GETFD) >= 0) ++count;
  }
  return count;
}

TEST(ServeTest, OneLineServesThisProcess) {
  absl::StatusOr<std::unique_ptr<Server>> server = Serve("127.0.0.1:0");
  ASSERT_TRUE(server.ok()) << server.status();
  int port = (*server)->port();
  std::string folded = Get(port, "/?seconds=0.2");
  EXPECT_EQ(StatusOf(folded), 200);
  EXPECT_THAT(BodyOf(folded), HasSubstr("main"));
  // This thread waits for the answer.
  EXPECT_THAT(BodyOf(Get(port, "/?seconds=0.3&detail=1")),
              HasSubstr(absl::StrCat("[socket tcp 127.0.0.1:", port, "] ")));
  EXPECT_THAT(BodyOf(Get(port, "/threads")),
              AllOf(HasSubstr("[blocked in "), Not(HasSubstr("wallprof-"))));
  EXPECT_THAT(BodyOf(Get(port, "/stats?format=json")), HasSubstr("\"hz\":99"));
}

TEST(ServeTest, ServesAProfilerOfTheProgramsAndLeavesItRunning) {
  absl::StatusOr<std::unique_ptr<Profiler>> profiler = Profiler::Start();
  ASSERT_TRUE(profiler.ok()) << profiler.status();
  EXPECT_EQ(Serve("127.0.0.1:0").status().code(),
            absl::StatusCode::kAlreadyExists);
  absl::StatusOr<std::unique_ptr<Server>> server =
      Serve("127.0.0.1:0", **profiler);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(StatusOf(Get((*server)->port(), "/stats")), 200);
  (*server)->Stop();
  EXPECT_TRUE((*profiler)->Collect(absl::Milliseconds(50)).ok());
}

TEST(ServeTest, TheProgramSeesNoDescriptorOfTheServer) {
  absl::StatusOr<std::unique_ptr<Profiler>> profiler = Profiler::Start();
  ASSERT_TRUE(profiler.ok()) << profiler.status();
  int before = CountDescriptors();
  absl::StatusOr<std::unique_ptr<Server>> server =
      Serve("127.0.0.1:0", **profiler);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(StatusOf(Get((*server)->port(), "/stats")), 200);
  EXPECT_EQ(CountDescriptors(), before);
}

TEST(ServeTest, StopEndsARealMeasurement) {
  absl::StatusOr<std::unique_ptr<Server>> server = Serve("127.0.0.1:0");
  ASSERT_TRUE(server.ok()) << server.status();
  RawClient client((*server)->port());
  client.Send("GET /?seconds=3600 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  while (Get((*server)->port(), "/metrics")
             .find("\nwallprof_http_measurements 1\n") == std::string::npos) {
  }
  (*server)->Stop();
  EXPECT_EQ(StatusOf(client.ReceiveAll()), 503);
}

TEST(ServeTest, BadAddressStartsNothingThatLasts) {
  EXPECT_EQ(Serve("nowhere").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Profiler::Start().ok());
}

}  // namespace
}  // namespace wallprof::http
