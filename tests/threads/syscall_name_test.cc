#include "profiler/threads/syscall_name.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

namespace wallprof::threads {
namespace {

TEST(SyscallNameTest, IsTheKernels) {
  EXPECT_EQ(SyscallName(SYS_read), "read");
  EXPECT_EQ(SyscallName(SYS_recvfrom), "recvfrom");
  EXPECT_EQ(SyscallName(SYS_clock_nanosleep), "clock_nanosleep");
  EXPECT_EQ(SyscallName(SYS_futex), "futex");
  EXPECT_EQ(SyscallName(SYS_wait4), "wait4");
  EXPECT_EQ(SyscallName(SYS_newfstatat), "newfstatat");
}

TEST(SyscallNameTest, OfAnUnknownNumberSaysTheNumber) {
  EXPECT_EQ(SyscallName(4095), "syscall_4095");
  EXPECT_EQ(SyscallName(-1), "syscall_-1");
}

}  // namespace
}  // namespace wallprof::threads
