#include "profiler/threads/privileges.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "profiler/threads/task_directory.h"

namespace wallprof::threads {
namespace {

constexpr uint64_t kSetUid = 1 << CAP_SETUID;
constexpr uint64_t kAll = ~uint64_t{0};

std::optional<Privileges> Own() {
  ProcText text;
  TaskDirectory().Read(static_cast<Tid>(syscall(SYS_gettid)), "status", text);
  return ParsePrivileges(text.text());
}

// In a child, since what is given up stays so.
bool HoldsInChild(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  return status == 0;
}

TEST(ParsePrivilegesTest, TakesTheTwoLines) {
  const auto privileges = ParsePrivileges(
      "Name:\tx\nCapInh:\t0000000000000001\nCapPrm:\t000001ffffffff7f\n"
      "CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t0\n");
  ASSERT_TRUE(privileges.has_value());
  EXPECT_EQ(privileges->permitted, 0x1ffffffff7fu);
  EXPECT_TRUE(privileges->no_new_privs);
}

TEST(ParsePrivilegesTest, RefusesWhatLacksOne) {
  EXPECT_FALSE(ParsePrivileges("").has_value());
  EXPECT_FALSE(ParsePrivileges("CapPrm:\t0\n").has_value());
  EXPECT_FALSE(ParsePrivileges("NoNewPrivs:\t0\n").has_value());
  EXPECT_FALSE(ParsePrivileges("CapPrm:\tx\nNoNewPrivs:\t0\n").has_value());
}

TEST(LowerPrivilegesTest, NoNewPrivsIsTakenOver) {
  EXPECT_TRUE(HoldsInChild([] {
    return LowerPrivileges({kAll, true}) && Own()->no_new_privs;
  }));
  EXPECT_TRUE(HoldsInChild([] {
    const Privileges before = *Own();
    return LowerPrivileges({kAll, false}) && *Own() == before;
  }));
}

TEST(LowerPrivilegesTest, CapabilitiesAreGivenUpAndNeverGained) {
  if (Own()->permitted == 0) GTEST_SKIP() << "this user has none";
  EXPECT_TRUE(HoldsInChild([] {
    const uint64_t before = Own()->permitted;
    return LowerPrivileges({kSetUid, false}) &&
           Own()->permitted == (before & kSetUid) &&
           LowerPrivileges({kAll, false}) &&
           Own()->permitted == (before & kSetUid);
  }));
}

}  // namespace
}  // namespace wallprof::threads
