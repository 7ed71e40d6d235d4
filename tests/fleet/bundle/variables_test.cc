#include "wallprof/variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

namespace wallprof {
namespace {

using ::testing::IsEmpty;
using ::testing::MatchesRegex;

nlohmann::json Read() {
  std::vector<std::string> problems;
  nlohmann::json json = nlohmann::json::parse(VariablesJson(problems));
  EXPECT_THAT(problems, IsEmpty());
  return json;
}

TEST(VariablesTest, AreThereWhileTheyLive) {
  {
    Counter requests("requests");
    const Variable queue("queue", [] { return "[1, {\"a\": null}]"; });
    requests.Add(3);
    requests.Add(-1);
    EXPECT_EQ(Read()["requests"], 2);
    requests.Set(40);
    EXPECT_EQ(Read()["requests"], 40);
    EXPECT_EQ(Read()["queue"][0], 1);
  }
  EXPECT_FALSE(Read().contains("requests"));
  EXPECT_FALSE(Read().contains("queue"));
}

TEST(VariablesTest, HaveTheFormOfExpvar) {
  const Variable b("b", [] { return "2"; });
  const Variable a("a\"\n", [] { return "\"x\""; });
  std::vector<std::string> problems;
  EXPECT_THAT(VariablesJson(problems),
              MatchesRegex("\\{\n\"a.\"..\": \"x\",\n\"b\": 2,\n"
                           "\"cmdline\": \\[[^\n]*\\]\n\\}\n"));
}

TEST(VariablesTest, TheLaterOfOneNameShows) {
  const Variable first("same", [] { return "1"; });
  {
    const Variable second("same", [] { return "2"; });
    EXPECT_EQ(Read()["same"], 2);
  }
  EXPECT_EQ(Read()["same"], 1);
}

TEST(VariablesTest, NamesMayBeAnyBytes) {
  const Variable odd("\xff", [] { return "1"; });
  EXPECT_EQ(Read()["\xef\xbf\xbd"], 1);
}

// Whoever destroys a variable may free what its function uses.
TEST(VariablesTest, NoneIsAskedOnceItIsGone) {
  std::atomic<bool> stop{false};
  std::thread reader([&stop] {
    std::vector<std::string> problems;
    while (!stop) VariablesJson(problems);
  });
  for (int i = 0; i < 2000; ++i) {
    auto alive = std::make_unique<std::atomic<int>>(1);
    {
      const Variable variable("alive", [number = alive.get()] {
        EXPECT_EQ(number->load(), 1);
        return "1";
      });
      if (i % 10 == 0) std::this_thread::yield();
    }
    alive->store(0);
  }
  stop = true;
  reader.join();
}

TEST(VariablesTest, AForkedChildIsNotHeldUp) {
  std::atomic<bool> stop{false};
  const Variable slow("slow", [] {
    usleep(1000);
    return "1";
  });
  std::thread reader([&stop] {
    std::vector<std::string> problems;
    while (!stop) VariablesJson(problems);
  });
  for (int i = 0; i < 20; ++i) {
    auto forked = std::make_unique<Variable>("forked", [] { return "2"; });
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20);
      forked.reset();
      const Variable own("own", [] { return "3"; });
      std::vector<std::string> problems;
      const auto json = nlohmann::json::parse(VariablesJson(problems));
      _exit(json.contains("slow") || json["own"] != 3 ? 1 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace wallprof
