#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "wallprof/agent.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

using ::testing::HasSubstr;

AgentOptions Good() {
  AgentOptions options;
  options.collector = "http://127.0.0.1:1";
  options.service = "svc";
  options.interval = absl::Milliseconds(100);
  options.window = absl::Milliseconds(50);
  return options;
}

TEST(AgentOptionsTest, WrongOnesAreNamed) {
  EXPECT_EQ(Good().Validate(), absl::OkStatus());
  const std::vector<std::pair<const char*, std::function<void(AgentOptions&)>>>
      cases = {
          {"collector", [](AgentOptions& o) { o.collector = ""; }},
          {"collector", [](AgentOptions& o) { o.collector = "c:1"; }},
          {"collector", [](AgentOptions& o) { o.collector = "https://c"; }},
          {"collector", [](AgentOptions& o) { o.collector = "http://c?a"; }},
          {"token", [](AgentOptions& o) { o.token = "a b"; }},
          {"token", [](AgentOptions& o) { o.token = "a\r\nX: y"; }},
          {"service", [](AgentOptions& o) { o.service = ""; }},
          {"labels",
           [](AgentOptions& o) {
             o.labels = {{"", "v"}};
           }},
          {"labels",
           [](AgentOptions& o) {
             o.labels = {{"k", std::string(2000, 'v')}};
           }},
          {"sources",
           [](AgentOptions& o) {
             o.sources = {{"heap", {}, {}}};
           }},
          {"window", [](AgentOptions& o) { o.window = absl::ZeroDuration(); }},
          {"window", [](AgentOptions& o) { o.window = absl::Hours(2); }},
          {"interval",
           [](AgentOptions& o) { o.interval = absl::Milliseconds(1); }},
          {"send_timeout",
           [](AgentOptions& o) { o.send_timeout = absl::ZeroDuration(); }},
          {"spool_bytes", [](AgentOptions& o) { o.spool_bytes = 0; }},
          {"spool_age", [](AgentOptions& o) { o.spool_age = -absl::Hours(1); }},
          {"memory_bytes", [](AgentOptions& o) { o.memory_bytes = -1; }},
          {"nothing to take", [](AgentOptions& o) { o.wall = o.cpu = false; }},
      };
  for (const auto& [name, change] : cases) {
    AgentOptions options = Good();
    change(options);
    const absl::Status status = options.Validate();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name;
    EXPECT_THAT(status.message(), HasSubstr(name));
  }
}

class AgentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = Profiler::Start();
    ASSERT_TRUE(started.ok()) << started.status();
    profiler_ = *std::move(started);
  }

  std::unique_ptr<Agent> Start(AgentOptions options) {
    auto agent = Agent::Start(std::move(options), *profiler_);
    EXPECT_TRUE(agent.ok()) << agent.status();
    return *std::move(agent);
  }

  std::unique_ptr<Profiler> profiler_;
};

TEST_F(AgentTest, StopsAsOftenAsItIsAsked) {
  const auto agent = Start(Good());
  agent->Stop();
  agent->Stop();
  const AgentStatistics stats = agent->Stats();
  absl::SleepFor(absl::Milliseconds(300));
  EXPECT_EQ(agent->Stats().taken, stats.taken) << "nothing runs any more";
}

TEST_F(AgentTest, SendsWithTheProgramsOwnClient) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::atomic<int> posts{0};
  AgentOptions options = Good();
  options.collector = "https://collector";
  options.cpu = false;
  options.exchange = [&](const AgentRequest& request) {
    AgentAnswer answer;
    answer.result = AgentAnswer::Result::kAnswered;
    answer.status = 200;
    answer.body = R"({"code":200,"body":{"id":"1"}})";
    // Its descriptors are the program's.
    if (request.method == "POST" && write(ends[1], "x", 1) == 1) ++posts;
    return answer;
  };
  const auto agent = Start(options);
  const absl::Time latest = absl::Now() + absl::Seconds(20);
  while (agent->Stats().sent < 2 && absl::Now() < latest) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  agent->Stop();
  EXPECT_GE(posts, 2);
  EXPECT_GE(agent->Stats().sent, 2);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(AgentTest, LogsWithTheProgramsDescriptors) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  AgentOptions options = Good();
  options.log = [&](std::string_view line) {
    EXPECT_EQ(write(ends[1], line.data(), line.size()),
              static_cast<ssize_t>(line.size()));
  };
  Start(options).reset();
  close(ends[1]);
  char text[100] = "";
  EXPECT_GT(read(ends[0], text, sizeof(text) - 1), 0);
  EXPECT_THAT(text, HasSubstr("event=started collector="));
  close(ends[0]);
}

TEST_F(AgentTest, OneOfAForkedChildIsItsOwn) {
  const auto agent = Start(Good());
  const pid_t child = fork();
  if (child == 0) {
    agent->Stop();  // nothing to stop, and nothing to wait for
    const bool is_off =
        absl::IsFailedPrecondition(Agent::Start(Good(), *profiler_).status());
    _exit(agent->Stats().taken == 0 && is_off ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace wallprof
