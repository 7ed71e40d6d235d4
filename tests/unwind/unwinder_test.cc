#include "profiler/unwind/unwinder.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/unwind/blocked_thread.h"
#include "tests/unwind/chain.h"
#include "tests/unwind/walking.h"

// Without unwind information, as hand-written assembly often is: calls %rdi
// with %rsi and %rdx as its arguments.
extern "C" void CallWithoutUnwindInformation(wallprof::unwind::Chain chain,
                                             wallprof::unwind::Call call,
                                             wallprof::unwind::ChainState*);
asm(R"(
  .text
  .globl CallWithoutUnwindInformation
  .type CallWithoutUnwindInformation, @function
CallWithoutUnwindInformation:
  push %rbx
  mov %rdi, %rax
  mov %esi, %edi
  mov %rdx, %rsi
  call *%rax
  pop %rbx
  ret
  .size CallWithoutUnwindInformation, .-CallWithoutUnwindInformation
)");

namespace wallprof::unwind {
namespace {

using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// A pipe to block on.
struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe(ends) != 0) abort();
    state.empty_pipe = ends[0];
    write_end = ends[1];
  }
  void Release() const { ASSERT_EQ(write(write_end, "x", 1), 1); }

  ChainState state;
  int write_end = -1;
};

class UnwinderTest : public ::testing::Test {
 protected:
  // Runs `body`, which blocks on the pipe, on a thread, walks that and lets
  // `check` see the walk.
  template <typename Body, typename Check>
  void WalkBlocked(Body body, Check check) {
    std::atomic<threads::Tid> tid{0};
    std::thread thread([&] {
      tid = static_cast<threads::Tid>(syscall(SYS_gettid));
      body();
    });
    while (tid == 0) usleep(100);
    const auto blocked = WaitUntilBlocked(tid, SYS_read);
    {
      CopiedStack stack(walking_.memory(), blocked);
      check(walking_.Of(stack.copy()), stack);
    }
    pipe_.Release();
    thread.join();
  }

  void RunChain(const char* variant) {
    ChainNamed(variant)(Call::kReadBare, pipe_.state);
  }

  Pipe pipe_;
  Walking walking_;
};

TEST_F(UnwinderTest, MainThreadIsWalkedToTheStartOfTheProgram) {
  std::vector<std::string> names;
  bool complete = false;
  std::thread observer([&] {
    while (!pipe_.state.ready) usleep(100);
    Walking walking;  // memory is read on the thread that opened it
    const CopiedStack stack(walking.memory(),
                            WaitUntilBlocked(getpid(), SYS_read));
    complete = walking.Of(stack.copy()).complete;
    names = walking.Names();
    pipe_.Release();
  });
  RunChain("o2_frame_pointer");
  observer.join();
  EXPECT_TRUE(complete);
  EXPECT_EQ(names.back(), "_start");
  EXPECT_THAT(names, Contains("main"));
  EXPECT_THAT(names, Contains(StartsWith("o2_frame_pointer::Middle(")));
}

// --- what a walk depends on --------------------------------------------------

// Where the words that a walk names are the same, the walk is: this is what
// allows not to walk again.
TEST_F(UnwinderTest, WordsAreAllThatAWalkDependsOn) {
  for (const char* variant : {"o2", "o2_frame_pointer", "o2_alloca"}) {
    SCOPED_TRACE(variant);
    pipe_.state.ready = false;
    WalkBlocked([&] { RunChain(variant); },
                [&](const Walk& walk, CopiedStack& stack) {
                  ASSERT_TRUE(walk.complete);
                  ASSERT_THAT(walk.words, Not(IsEmpty()));
                  const std::vector<uint64_t> before = walking_.Addresses();
                  std::vector<std::byte> damaged(stack.bytes().size(),
                                                 std::byte{0xa5});
                  const uint64_t start = stack.copy().segments[0].address;
                  for (const StackWord& word : walk.words) {
                    memcpy(&damaged[word.address - start], &word.value, 8);
                  }
                  stack.bytes() = damaged;
                  stack.copy().segments[0].bytes = stack.bytes().data();
                  EXPECT_TRUE(walking_.Of(stack.copy()).complete);
                  EXPECT_EQ(walking_.Addresses(), before);
                });
  }
}

TEST_F(UnwinderTest, AWalkByOtherRegistersNamesNoWords) {
  WalkBlocked([&] { RunChain("o2_frame_pointer"); },
              [&](const Walk& walk, CopiedStack& stack) {
                ASSERT_TRUE(walk.complete);
                const std::vector<uint64_t> before = walking_.Addresses();
                // The frame pointer as a running thread's is known: a walk by
                // it holds only as long as it is the same.
                StackCopy& copy = stack.copy();
                copy.at_call_boundary = false;
                for (uint64_t at = copy.registers.Get(kRsp) & ~uint64_t{15};;
                     at += 16) {
                  ASSERT_LT(at, copy.registers.Get(kRsp) + 4096);
                  copy.registers.Set(kRbp, at);
                  if (!walking_.Of(copy).complete) continue;
                  if (walking_.Addresses() == before) break;
                }
                EXPECT_THAT(walking_.Of(copy).words, IsEmpty());
              });
}

// --- stacks that end early ---------------------------------------------------

TEST_F(UnwinderTest, StopsAtCodeWithoutUnwindInformation) {
  WalkBlocked(
      [&] {
        CallWithoutUnwindInformation(ChainNamed("o2"), Call::kReadBare,
                                     &pipe_.state);
      },
      [&](const Walk& walk, CopiedStack&) {
        EXPECT_FALSE(walk.complete);
        const std::vector<std::string> names = walking_.Names();
        ASSERT_GE(names.size(), 6u) << ::testing::PrintToString(names);
        EXPECT_EQ(names.back(), "[truncated]");
        EXPECT_EQ(names[names.size() - 2], "CallWithoutUnwindInformation");
        EXPECT_THAT(names[names.size() - 3], StartsWith("o2::Outer("));
        EXPECT_THAT(walk.words, IsEmpty());
      });
}

__attribute__((noinline)) int Recurse(int depth, ChainState& state) {
  volatile int local = depth;
  if (depth == 0) {
    ChainNamed("o2")(Call::kReadBare, state);
    return local;
  }
  return Recurse(depth - 1, state) + local;
}

TEST_F(UnwinderTest, DeepRecursionIsCutAtTheRootsEnd) {
  WalkBlocked([&] { Recurse(1500, pipe_.state); },
              [&](const Walk& walk, CopiedStack&) {
                EXPECT_FALSE(walk.complete);
                ASSERT_EQ(walk.depth, Walk::kMaxFrames + 1);
                const std::vector<std::string> names = walking_.Names();
                EXPECT_EQ(names.back(), "[truncated]");
                EXPECT_EQ(names[0], "syscall");
                EXPECT_THAT(names[names.size() - 2], HasSubstr("Recurse("));
              });
}

// Where both the prologue and the call agree, no root is needed to believe a
// recovered frame pointer.
TEST_F(UnwinderTest, ACertainFramePointerNeedsNoRoot) {
  WalkBlocked(
      [&] {
        CallWithoutUnwindInformation(ChainNamed("o2_frame_pointer"),
                                     Call::kReadBare, &pipe_.state);
      },
      [&](const Walk& walk, CopiedStack&) {
        EXPECT_FALSE(walk.complete);
        const std::vector<std::string> names = walking_.Names();
        const std::string chain = ::testing::PrintToString(names);
        ASSERT_EQ(names.size(), 6u) << chain;
        EXPECT_THAT(names[1], StartsWith("o2_frame_pointer::Block("));
        EXPECT_EQ(names[4], "CallWithoutUnwindInformation");
      });
}

TEST_F(UnwinderTest, ShortCopySaysWhatIsMissing) {
  WalkBlocked([&] { RunChain("o2"); },
              [&](const Walk& walk, CopiedStack& stack) {
                ASSERT_TRUE(walk.complete);
                const size_t whole_depth = walk.depth;
                StackSegment& segment = stack.copy().segments[0];
                const size_t whole_size = segment.size;
                int restarts = 0;
                for (segment.size = 8; !walking_.Of(stack.copy()).complete;) {
                  const uint64_t missing = walking_.Of(stack.copy()).missing;
                  ASSERT_FALSE(segment.Contains(missing, 8));
                  ASSERT_LT(missing, segment.address + whole_size);
                  ASSERT_EQ(walking_.Names().back(), "[truncated]");
                  segment.size = missing + 8 - segment.address;
                  ++restarts;
                }
                EXPECT_GT(restarts, 3);
                EXPECT_EQ(walking_.Of(stack.copy()).depth, whole_depth);
              });
}

// --- signals -----------------------------------------------------------------

Pipe* g_pipe = nullptr;

void BlockInHandler(int) { ChainNamed("o2")(Call::kReadBare, g_pipe->state); }

__attribute__((noinline)) void SpinUntil(const std::atomic<bool>& done) {
  while (!done) {
  }
}

TEST_F(UnwinderTest, WalksThroughASignalHandlerToWhatItInterrupted) {
  g_pipe = &pipe_;
  struct sigaction action = {}, before;
  action.sa_handler = BlockInHandler;
  sigaction(SIGUSR1, &action, &before);
  std::atomic<bool> done{false};
  std::atomic<pthread_t> self{};
  std::thread signaller([&] {
    while (self == pthread_t{}) usleep(100);
    usleep(10'000);
    pthread_kill(self, SIGUSR1);
  });
  WalkBlocked(
      [&] {
        self = pthread_self();
        SpinUntil(done);
      },
      [&](const Walk& walk, CopiedStack&) {
        EXPECT_TRUE(walk.complete);
        const std::vector<std::string> names = walking_.Names();
        const std::string chain = ::testing::PrintToString(names);
        EXPECT_THAT(names, Contains(HasSubstr("BlockInHandler(int)"))) << chain;
        EXPECT_THAT(names, Contains(HasSubstr("SpinUntil("))) << chain;
        done = true;
      });
  signaller.join();
  sigaction(SIGUSR1, &before, nullptr);
}

// --- modules -----------------------------------------------------------------

// Loads the library and walks a thread in it; by frame, and by name.
struct Generation {
  std::vector<stacks::Frame> frames;
  std::vector<std::string> names;
  uint64_t base = 0;
};

TEST_F(UnwinderTest, LibraryInTheSamePlaceIsAnotherModule) {
  const auto walk_in = [this](const char* path, const char* inner) {
    Generation result;
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    EXPECT_NE(library, nullptr) << dlerror();
    auto* entry =
        static_cast<int (**)(int)>(dlsym(library, "generation_entry"));
    Dl_info info;
    EXPECT_NE(dladdr(entry, &info), 0);
    result.base = reinterpret_cast<uint64_t>(info.dli_fbase);
    walking_.ReadModules();
    WalkBlocked([&] { (*entry)(pipe_.state.empty_pipe); },
                [&](const Walk& walk, CopiedStack&) {
                  EXPECT_TRUE(walk.complete);
                  result.frames.assign(walk.stack().begin(),
                                       walk.stack().end());
                  result.names = walking_.Names();
                  EXPECT_THAT(result.names, Contains(inner));
                });
    dlclose(library);
    return result;
  };
  const Generation a = walk_in(GENERATION_A, "generation_a_inner");
  const Generation b = walk_in(GENERATION_B, "generation_b_inner");
  EXPECT_THAT(b.names, Contains("generation_b_outer"));
  EXPECT_THAT(b.names, Not(Contains("generation_a_outer")));
  // The loader puts it where the first one was; the test of that is not ours.
  if (a.base != b.base) GTEST_SKIP() << "loaded elsewhere";
  EXPECT_EQ(walking_.NamesOf(a.frames), a.names)
      << "frames of the first keep their names";
  // And the first once more, which keeps its module.
  const Generation again = walk_in(GENERATION_A, "generation_a_inner");
  EXPECT_EQ(again.frames[1], a.frames[1]);
}

}  // namespace
}  // namespace wallprof::unwind
