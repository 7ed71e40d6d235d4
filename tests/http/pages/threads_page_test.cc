#include "http/pages/threads_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace wallprof::http {
namespace {

absl::Time Instant() {
  return absl::FromUnixMillis(1767323045678);  // 2026-01-02T03:04:05.678Z
}

std::vector<ThreadInfo> TwoThreads() {
  ThreadInfo blocked;
  blocked.tid = 71;
  blocked.name = "demo";
  blocked.state = "blocked";
  blocked.wait = "recvfrom";
  blocked.wait_time = absl::Nanoseconds(1250000);
  blocked.cpu_time = absl::Milliseconds(310);
  blocked.stack = {"main", "slowNetworkRequest()", "recv"};
  ThreadInfo running;
  running.tid = 72;
  running.name = "w\xff\"";
  running.state = "running";
  running.truncated = true;
  running.stack = {"spin()"};
  return {blocked, running};
}

TEST(ThreadsPageTest, TextReadsLeafFirst) {
  EXPECT_EQ(ThreadsText(TwoThreads(), Instant()),
            absl::StrCat("pid ", getpid(),
                         ", 2 threads, 2026-01-02T03:04:05.678Z\n"
                         "\n"
                         "thread 71 \"demo\" [blocked in recvfrom for 1.25ms, "
                         "cpu 310ms]:\n"
                         "    recv\n"
                         "    slowNetworkRequest()\n"
                         "    main\n"
                         "\n"
                         "thread 72 \"w\xff\"\" [running, cpu 0]:\n"
                         "    spin()\n"
                         "    [truncated]\n"));
}

TEST(ThreadsPageTest, JsonHasEveryFieldInItsPlace) {
  std::string blocked =
      R"j({"tid":71,"name":"demo","state":"blocked","wait":"recvfrom",)j"
      R"j("wait_ns":1250000,"cpu_ns":310000000,"truncated":false,)j"
      R"j("stack":["main","slowNetworkRequest()","recv"]})j";
  std::string running =
      "{\"tid\":72,\"name\":\"w\xEF\xBF\xBD\\\"\","
      R"j("state":"running","wait":"","wait_ns":0,"cpu_ns":0,)j"
      R"j("truncated":true,"stack":["spin()"]})j";
  EXPECT_EQ(
      ThreadsJson(TwoThreads(), Instant()),
      absl::StrCat(R"({"time":"2026-01-02T03:04:05.678Z","pid":)", getpid(),
                   R"(,"threads":[)", blocked, ",", running, "]}\n"));
}

TEST(ThreadsPageTest, WaitsAreToldAsFarAsTheyAreKnown) {
  ThreadInfo waiter;
  waiter.tid = 71;
  waiter.name = "demo";
  waiter.state = "blocked";
  waiter.wait = "futex";
  waiter.wait_kind = "lock";
  waiter.wait_object = "0x7f00";
  waiter.held_by = 72;
  EXPECT_THAT(ThreadsText({waiter}, Instant()),
              ::testing::HasSubstr(
                  "[blocked in futex (lock 0x7f00 held by thread 72), cpu 0]"));
  const nlohmann::json page =
      nlohmann::json::parse(ThreadsJson({waiter}, Instant()));
  EXPECT_EQ(page["threads"][0]["wait_kind"], "lock");
  EXPECT_EQ(page["threads"][0]["wait_object"], "0x7f00");
  EXPECT_EQ(page["threads"][0]["held_by"], 72);
}

TEST(ThreadsPageTest, NoThreadsAreAnEmptyList) {
  nlohmann::json page = nlohmann::json::parse(ThreadsJson({}, Instant()));
  EXPECT_EQ(page["threads"], nlohmann::json::array());
}

}  // namespace
}  // namespace wallprof::http
