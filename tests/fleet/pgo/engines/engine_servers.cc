#include "tests/fleet/pgo/engines/engine_servers.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>

namespace wallprof::pgo {
namespace {

void Shell(const std::string& command) {
  EXPECT_EQ(system(command.c_str()), 0) << command;
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

void KillNats() { Shell(TestVariable("WALLPROF_TEST_NATS_KILL")); }

NatsAway::NatsAway() { Shell(TestVariable("WALLPROF_TEST_NATS_HOLD")); }
NatsAway::~NatsAway() { Shell(TestVariable("WALLPROF_TEST_NATS_RELEASE")); }

NatsStandsStill::NatsStandsStill() {
  Shell("kill -STOP $(cat " + TestVariable("WALLPROF_TEST_NATS_PID") + ")");
}
NatsStandsStill::~NatsStandsStill() {
  Shell("kill -CONT $(cat " + TestVariable("WALLPROF_TEST_NATS_PID") + ")");
}

}  // namespace wallprof::pgo
