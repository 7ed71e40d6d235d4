#include "profiler/capture/outside_look.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/unwind/blocked_thread.h"
#include "tests/unwind/chain.h"
#include "tests/unwind/walking.h"

namespace wallprof::capture {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using threads::SyscallState;
using Outcome = OutsideLook::Outcome;

class OutsideLookTest : public ::testing::Test {
 protected:
  OutsideLookTest() {
    int ends[2];
    if (pipe(ends) != 0) abort();
    chain_.empty_pipe = ends[0];
    write_end_ = ends[1];
  }

  // Runs `body`, which blocks on the pipe, and `check` with how it blocks.
  template <typename Body, typename Check>
  void WhileBlocked(Body body, Check check) {
    std::atomic<threads::Tid> tid{0};
    std::thread thread([&] {
      tid = static_cast<threads::Tid>(syscall(SYS_gettid));
      body();
    });
    while (tid == 0) usleep(100);
    check(unwind::WaitUntilBlocked(tid, SYS_read));
    ASSERT_EQ(write(write_end_, "x", 1), 1);
    thread.join();
  }

  void Block(const char* variant = "o2") {
    unwind::ChainNamed(variant)(unwind::Call::kReadBare, chain_);
  }

  Outcome Look(const SyscallState& state, bool unmoved = true) {
    return look_.Look(thread_, state, [=] { return unmoved; });
  }

  std::vector<std::string> Names() {
    const auto frames = walking_.recording().table().Frames(thread_.memo.stack);
    return walking_.NamesOf({frames.begin(), frames.end()});
  }

  int64_t walks() { return walking_.recording().tallies().walks.get(); }

  unwind::ChainState chain_;
  int write_end_ = -1;
  unwind::Walking walking_;
  OutsideLook look_{walking_.memory(), walking_.unwinder(),
                    walking_.recording()};
  ObservedThread thread_;
};

TEST_F(OutsideLookTest, FirstLookWalksAndTheNextRemembers) {
  WhileBlocked([&] { Block(); },
               [&](const SyscallState& state) {
                 EXPECT_EQ(Look(state), Outcome::kWalked);
                 EXPECT_TRUE(thread_.memo.complete);
                 EXPECT_EQ(thread_.memo.syscall, SYS_read);
                 EXPECT_THAT(Names(), Contains(StartsWith("o2::Outer(")));
                 EXPECT_EQ(walks(), 1);
                 for (int i = 0; i < 10; ++i) {
                   EXPECT_EQ(Look(state), Outcome::kSame);
                 }
                 EXPECT_EQ(walks(), 1);
               });
}

TEST_F(OutsideLookTest, ChangedStackIsWalkedAnew) {
  WhileBlocked([&] { Block(); },
               [&](const SyscallState& state) {
                 ASSERT_EQ(Look(state), Outcome::kWalked);
                 // As if another word had been there before.
                 thread_.memo.words.back().value ^= 1;
                 EXPECT_EQ(Look(state), Outcome::kWalked);
                 EXPECT_EQ(Look(state), Outcome::kSame);
                 thread_.memo.pc += 1;
                 EXPECT_EQ(Look(state), Outcome::kWalked);
                 thread_.memo.sp += 8;
                 EXPECT_EQ(Look(state), Outcome::kWalked);
                 EXPECT_EQ(walks(), 4);
               });
}

TEST_F(OutsideLookTest, ThreadThatRanMeanwhileLeavesNoStack) {
  WhileBlocked([&] { Block(); },
               [&](const SyscallState& state) {
                 EXPECT_EQ(Look(state, false), Outcome::kMoved);
                 EXPECT_EQ(thread_.memo.stack, stacks::kNoStack);
                 EXPECT_EQ(walks(), 0);
                 ASSERT_EQ(Look(state), Outcome::kWalked);
                 EXPECT_EQ(Look(state, false), Outcome::kMoved)
                     << "also where the words are the same";
               });
}

TEST_F(OutsideLookTest, StackThatCannotBeReadIsUnseen) {
  SyscallState state;
  state.kind = SyscallState::Kind::kInSyscall;
  state.number = SYS_read;
  state.sp = 0x1000;
  state.pc = reinterpret_cast<uint64_t>(&read);
  EXPECT_EQ(Look(state), Outcome::kUnseen);
  EXPECT_EQ(Look(state, false), Outcome::kMoved);
}

// After a stop the kernel calls what goes on restart_syscall.
TEST_F(OutsideLookTest, RestartedCallKeepsItsName) {
  constexpr int kRestartSyscall = 219;
  WhileBlocked([&] { Block(); },
               [&](SyscallState state) {
                 ASSERT_EQ(Look(state), Outcome::kWalked);
                 state.number = kRestartSyscall;
                 EXPECT_EQ(Look(state), Outcome::kSame);
                 EXPECT_EQ(thread_.memo.syscall, SYS_read);
                 thread_.memo.words.clear();
                 EXPECT_EQ(Look(state), Outcome::kWalked);
                 EXPECT_EQ(thread_.memo.syscall, SYS_read);
                 // Somewhere else it is all that is known.
                 thread_.memo = {};
                 EXPECT_EQ(Look(state), Outcome::kWalked);
                 EXPECT_EQ(thread_.memo.syscall, kRestartSyscall);
               });
}

__attribute__((noinline)) int WithLargeFrame(unwind::ChainState& state) {
  volatile char large[100'000];
  large[0] = 1;
  unwind::ChainNamed("o2")(unwind::Call::kReadBare, state);
  return large[0];
}

// AddressSanitizer keeps the frames of its functions in rbp, and makes them too
// large for a frame pointer to be searched in.
#ifndef __SANITIZE_ADDRESS__
TEST_F(OutsideLookTest, DeepStacksAreCopiedAsFarAsNeeded) {
  WhileBlocked([&] { WithLargeFrame(chain_); },
               [&](const SyscallState& state) {
                 EXPECT_EQ(Look(state), Outcome::kWalked);
                 EXPECT_TRUE(thread_.memo.complete);
                 EXPECT_THAT(Names(), Contains(HasSubstr("WithLargeFrame(")));
                 EXPECT_GT(thread_.copy_bytes, 100'000u);
                 EXPECT_EQ(Look(state), Outcome::kSame);
               });
}

unwind::ChainState* g_chain = nullptr;

TEST_F(OutsideLookTest, AlternateStackLeadsBackToTheFirst) {
  g_chain = &chain_;
  constexpr size_t kBytes = 256 << 10;
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  WhileBlocked(
      [&] {
        const stack_t alternate = {memory, 0, kBytes};
        sigaltstack(&alternate, nullptr);
        struct sigaction action = {}, before;
        action.sa_flags = SA_ONSTACK;
        action.sa_handler = [](int) {
          unwind::ChainNamed("o2")(unwind::Call::kReadBare, *g_chain);
        };
        sigaction(SIGUSR1, &action, &before);
        raise(SIGUSR1);
        sigaction(SIGUSR1, &before, nullptr);
        const stack_t none = {nullptr, SS_DISABLE, 0};
        sigaltstack(&none, nullptr);
      },
      [&](const SyscallState& state) {
        const auto low = reinterpret_cast<uint64_t>(memory);
        ASSERT_GE(state.sp, low);
        ASSERT_LT(state.sp, low + kBytes);
        EXPECT_EQ(Look(state), Outcome::kWalked);
        EXPECT_TRUE(thread_.memo.complete) << ::testing::PrintToString(Names());
        EXPECT_THAT(Names(), Contains(StartsWith("o2::Block(")));
        EXPECT_THAT(Names(), Contains(HasSubstr("raise")));
      });
  munmap(memory, kBytes);
}

// Outside a system call the registers are not at their places of a call.
#endif  // __SANITIZE_ADDRESS__

TEST_F(OutsideLookTest, InAPageFaultNoFramePointerIsRecovered) {
  WhileBlocked([&] { Block("o2_frame_pointer"); },
               [&](SyscallState state) {
                 ASSERT_EQ(Look(state), Outcome::kWalked);
                 EXPECT_TRUE(thread_.memo.complete);
                 thread_.memo = {};
                 state.kind = SyscallState::Kind::kBlocked;
                 state.number = -1;
                 EXPECT_EQ(Look(state), Outcome::kWalked);
                 EXPECT_FALSE(thread_.memo.complete);
                 EXPECT_EQ(Names().back(), "[truncated]");
               });
}

}  // namespace
}  // namespace wallprof::capture
