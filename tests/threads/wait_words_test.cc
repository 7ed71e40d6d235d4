#include "profiler/threads/wait_words.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>

#include <cstring>

#include "profiler/threads/wait_target.h"

namespace wallprof::threads {
namespace {

constexpr uint64_t kLeftOver = 0xdead'beef'0000'0000;
constexpr Tid kSomeThread = 4711;

SyscallState Call(int number, uint64_t first, uint64_t second, uint64_t third) {
  SyscallState state;
  state.kind = SyscallState::Kind::kInSyscall;
  state.number = number;
  state.arguments = {first, second, third, 4, 5, 6};
  state.sp = 7;
  state.pc = 8;
  return state;
}

// What they are good for.
TEST(WaitWordsTest, TellWhatTheWholeCallTells) {
  pollfd polled = {12345, POLLIN, 0};
  uint32_t word = kSomeThread;
  WaitWorld world;
  world.read = [](uint64_t address, void* to, size_t size) {
    memcpy(to, reinterpret_cast<const void*>(address), size);
    return size;
  };
  world.is_thread = [](Tid tid) { return tid == kSomeThread; };
  const auto at_poll = reinterpret_cast<uint64_t>(&polled);
  const auto at_word = reinterpret_cast<uint64_t>(&word);
  for (const SyscallState& state :
       {Call(SYS_read, 99999, 2, 3), Call(SYS_clock_nanosleep, 1, 2, 3),
        Call(SYS_poll, at_poll, 1, 3), Call(SYS_poll, at_poll, 0, 3),
        Call(SYS_futex, at_word, 0, kSomeThread),
        Call(SYS_futex, at_word, 0, 2), Call(SYS_wait4, 71, 2, 3),
        Call(SYS_wait4, 0xffffffff, 2, 3), Call(SYS_waitid, 1, 71, 3),
        Call(SYS_epoll_wait, 5, 2, 3), Call(SYS_select, 9, 2, 3),
        Call(SYS_select, 0, 2, 3), Call(SYS_pause, 1, 2, 3),
        Call(SYS_sched_yield, 1, 2, 3)}) {
    const bool joins = state.arguments[2] == kSomeThread;
    const SyscallState kept = WordsOf(state, joins).Call();
    EXPECT_EQ(DescribeWait(kept, world), DescribeWait(state, world))
        << state.number;
  }
}

TEST(WaitWordsTest, LeaveOutWhatSaysNothing) {
  EXPECT_EQ(WordsOf(Call(SYS_read, 7, 0x1000, 64), false),
            WordsOf(Call(SYS_read, 7, 0x2000, 32), false));
  EXPECT_EQ(WordsOf(Call(SYS_read, kLeftOver + 7, 0, 0), false),
            WordsOf(Call(SYS_read, 7, 0, 0), false));
  EXPECT_EQ(WordsOf(Call(SYS_futex, 0x1000, 0, 2), false),
            WordsOf(Call(SYS_futex, 0x2000, 0, 8), false));
  EXPECT_EQ(WordsOf(Call(SYS_nanosleep, 0x1000, 0, 0), false),
            WordsOf(Call(SYS_nanosleep, 0x2000, 0, 0), false));
  EXPECT_EQ(WordsOf(Call(SYS_poll, 0x1000, 0, 10), false),
            WordsOf(Call(SYS_poll, 0x2000, 0, 20), false));
  EXPECT_FALSE(WordsOf(Call(SYS_read, 7, 0, 0), false) ==
               WordsOf(Call(SYS_read, 8, 0, 0), false));
  EXPECT_FALSE(WordsOf(Call(SYS_read, 7, 0, 0), false) ==
               WordsOf(Call(SYS_write, 7, 0, 0), false));
}

}  // namespace
}  // namespace wallprof::threads
