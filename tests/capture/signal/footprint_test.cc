// What the handler uses of the thread that it interrupts: its stack, and
// nothing of its heap. Not for sanitized code, which uses more of both.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <vector>

#include "profiler/capture/signal/handler.h"
#include "tests/capture/signal/handled_signal.h"

namespace {
std::atomic<int> g_allocations{0};
}  // namespace

// libc's own, which those below call.
extern "C" void* __libc_malloc(size_t);
extern "C" void* __libc_calloc(size_t, size_t);
extern "C" void* __libc_realloc(void*, size_t);
extern "C" void __libc_free(void*);

extern "C" void* malloc(size_t bytes) {
  ++g_allocations;
  return __libc_malloc(bytes);
}
extern "C" void* calloc(size_t count, size_t bytes) {
  ++g_allocations;
  return __libc_calloc(count, bytes);
}
extern "C" void* realloc(void* memory, size_t bytes) {
  ++g_allocations;
  return __libc_realloc(memory, bytes);
}
extern "C" void free(void* memory) {
  ++g_allocations;
  __libc_free(memory);
}

namespace wallprof::capture {
namespace {

constexpr size_t kBytes = 64 << 10;
constexpr unsigned char kPaint = 0xa5;

// An alternate stack for this thread, painted, so that it shows how deep
// handlers have gone.
class PaintedStack {
 public:
  PaintedStack()
      : bytes_(static_cast<unsigned char*>(
            mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    const stack_t stack = {bytes_, 0, kBytes};
    sigaltstack(&stack, &before_);
    Repaint();
  }
  ~PaintedStack() {
    sigaltstack(&before_, nullptr);
    munmap(bytes_, kBytes);
  }

  void Repaint() { memset(bytes_, kPaint, kBytes); }

  // Address of the lowest byte that was written since.
  uint64_t Lowest() const {
    const unsigned char* lowest = std::find_if(
        bytes_, bytes_ + kBytes, [](unsigned char c) { return c != kPaint; });
    return reinterpret_cast<uint64_t>(lowest);
  }

 private:
  unsigned char* bytes_;
  stack_t before_;
};

uint64_t g_frame = 0;

// Where a handler's frame begins: below the kernel's.
uint64_t FrameOfHandlers() {
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t*, void*) {
    g_frame = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  };
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  const ScopedAction program(SIGURG, action);
  SignalThread(OwnTid(), SIGURG, nullptr);
  // The frame address is below the return address, where the stack pointer
  // was as the kernel called.
  return g_frame + 2 * sizeof(uint64_t);
}

constexpr uint64_t kMostBytes = 1024;

TEST(FootprintTest, AnAnswerTakesLittleStack) {
  const ScopedAction program(SIGURG, DefaultAction());
  Request& request = PublishedRequests()[0];
  PaintedStack stack;
  const uint64_t top = FrameOfHandlers();
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  stack.Repaint();
  AskSelf(request);
  ASSERT_EQ(request.state, Request::kDone);
  EXPECT_LT(stack.Lowest(), top) << "it ran on the painted stack";
  EXPECT_LE(top - stack.Lowest(), kMostBytes);
  RecordProperty("bytes", static_cast<int>(top - stack.Lowest()));
}

TEST(FootprintTest, PassingOnTakesLittleStack) {
  struct sigaction own = {};
  own.sa_handler = [](int) {};
  own.sa_flags = SA_ONSTACK;
  const ScopedAction program(SIGURG, own);
  PaintedStack stack;
  const uint64_t top = FrameOfHandlers();
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  stack.Repaint();
  raise(SIGURG);
  EXPECT_LT(stack.Lowest(), top);
  EXPECT_LE(top - stack.Lowest(), kMostBytes);
}

TEST(FootprintTest, NothingIsAllocated) {
  g_allocations = 0;
  ::operator delete(::operator new(1));
  ASSERT_GE(g_allocations, 2) << "the count counts";
  const ScopedAction program(SIGURG, DefaultAction());
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  Request& request = PublishedRequests()[0];
  const int before = g_allocations;
  for (int i = 0; i < 1000; ++i) {
    AskSelf(request);
    SignalThread(OwnTid(), SIGURG, &request);  // stale
    raise(SIGURG);                             // foreign
  }
  EXPECT_EQ(g_allocations, before);
  EXPECT_EQ(request.state, Request::kDone);
}

}  // namespace
}  // namespace wallprof::capture
