#include "tests/fleet/pgo/engines/engine_servers.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "absl/time/clock.h"
#include "fleet/postgres/connection.h"

namespace wallprof::pgo {
namespace {

void Shell(const std::string& command) {
  EXPECT_EQ(system(command.c_str()), 0) << command;
}

// Of a server that is starting, when it is up.
void KillWhenUp(const char* command) {
  const std::string kill = "(" + TestVariable(command) + ") 2>/dev/null";
  const absl::Time end = absl::Now() + absl::Seconds(30);
  while (system(kill.c_str()) != 0) {
    ASSERT_LT(absl::Now(), end) << kill;
    absl::SleepFor(absl::Milliseconds(10));
  }
}

}  // namespace

std::string FreshName() {
  static std::atomic<int> count{0};
  return "test-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

std::string TestVariable(const char* name) {
  const char* value = getenv(name);
  EXPECT_NE(value, nullptr) << name << " is set by engines_test.py";
  return value == nullptr ? "" : value;
}

std::string NatsHost() { return TestVariable("WALLPROF_TEST_NATS"); }

void KillNats() { KillWhenUp("WALLPROF_TEST_NATS_KILL"); }

NatsAway::NatsAway() { Shell(TestVariable("WALLPROF_TEST_NATS_HOLD")); }
NatsAway::~NatsAway() { Shell(TestVariable("WALLPROF_TEST_NATS_RELEASE")); }

NatsStandsStill::NatsStandsStill() {
  // Each of its threads stops when it comes to it.
  Shell("pid=$(cat " + TestVariable("WALLPROF_TEST_NATS_PID") +
        "); kill -STOP $pid; while grep -h State: /proc/$pid/task/*/status | "
        "grep -qv stopped; do :; done");
}
NatsStandsStill::~NatsStandsStill() {
  Shell("kill -CONT $(cat " + TestVariable("WALLPROF_TEST_NATS_PID") + ")");
}

std::string FreshPostgresUrl() {
  std::string schema = FreshName();
  std::replace(schema.begin(), schema.end(), '-', '_');
  const std::string url = TestVariable("WALLPROF_TEST_POSTGRES");
  RunInPostgres(url, "CREATE SCHEMA " + schema);
  return url + "?options=-csearch_path%3D" + schema;
}

void RunInPostgres(const std::string& url, const std::string& script) {
  const auto connection = postgres::Connection::Open(url);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const absl::Status done = (*connection)->RunScript(script);
  EXPECT_TRUE(done.ok()) << done;
}

void KillPostgres() { KillWhenUp("WALLPROF_TEST_POSTGRES_KILL"); }

}  // namespace wallprof::pgo
