// Walks of threads that are blocked in known places, against what libgcc's
// unwinder said on the threads themselves.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/unwind/blocked_thread.h"
#include "tests/unwind/chain.h"
#include "tests/unwind/walking.h"

namespace wallprof::unwind {
namespace {

// Everything that a call can block on. Made once and never destroyed, since
// the threads stay blocked.
class Obstacles {
 public:
  Obstacles() {
    int pipe_ends[2], full_ends[2], sockets[2];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0 || pipe2(full_ends, O_CLOEXEC) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
      abort();
    }
    state.empty_pipe = pipe_ends[0];
    pipe_write_end_ = pipe_ends[1];
    state.full_pipe = full_ends[1];
    const std::vector<char> page(4096);
    fcntl(state.full_pipe, F_SETFL, O_NONBLOCK);
    while (write(state.full_pipe, page.data(), page.size()) > 0) {
    }
    fcntl(state.full_pipe, F_SETFL, 0);
    state.event = eventfd(0, EFD_CLOEXEC);
    state.epoll = epoll_create1(EPOLL_CLOEXEC);
    state.socket = sockets[0];
    state.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un nameless = {AF_UNIX, {}};
    bind(state.listener, reinterpret_cast<sockaddr*>(&nameless),
         sizeof(sa_family_t));
    listen(state.listener, 1);
    LockFile();
    state.message_queue = msgget(IPC_PRIVATE, 0600);
    state.semaphore_set = semget(IPC_PRIVATE, 1, 0600);
    state.child = fork();
    if (state.child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) pause();
    }
    pthread_create(
        &state.thread, nullptr,
        [](void*) -> void* {
          for (;;) pause();
        },
        nullptr);
    state.locked = new pthread_mutex_t(PTHREAD_MUTEX_INITIALIZER);
    pthread_mutex_lock(state.locked);
    state.waited = new pthread_mutex_t(PTHREAD_MUTEX_INITIALIZER);
    state.condition = new pthread_cond_t(PTHREAD_COND_INITIALIZER);
    state.semaphore = new sem_t;
    sem_init(state.semaphore, 0, 0);
  }

  // What would outlive the process.
  void Remove() {
    msgctl(state.message_queue, IPC_RMID, nullptr);
    semctl(state.semaphore_set, 0, IPC_RMID);
    kill(state.child, SIGKILL);
    waitpid(state.child, nullptr, 0);
    // The child of vfork, if there is one.
    if (write(pipe_write_end_, "x", 1) != 1) abort();
  }

  ChainState state;

 private:
  void LockFile() {
    char path[] = "/tmp/lockedXXXXXX";
    close(mkstemp(path));
    first_lock_ = open(path, O_RDWR | O_CLOEXEC);
    state.locked_file = open(path, O_RDWR | O_CLOEXEC);
    unlink(path);
    flock(first_lock_, LOCK_EX);
  }

  int pipe_write_end_ = -1;
  int first_lock_ = -1;
};

struct Case {
  Call call;
  const char* name;
  // The function of libc that the program called, where a jump has not taken
  // it from the stack.
  const char* function;
};

constexpr Case kCases[] = {
    {Call::kNanosleep, "nanosleep", "nanosleep"},
    {Call::kUsleep, "usleep", "usleep"},
    {Call::kPoll, "poll", "poll"},
    {Call::kSelect, "select", "select"},
    {Call::kEpollWait, "epoll_wait", "epoll_wait"},
    {Call::kReadPipe, "read_pipe", "read"},
    {Call::kReadBare, "read_bare", "syscall"},
    {Call::kReadEvent, "read_event", "read"},
    {Call::kWriteFullPipe, "write_full_pipe", "write"},
    {Call::kMutexLock, "mutex_lock", "pthread_mutex_lock"},
    {Call::kCondWait, "cond_wait", "pthread_cond_wait"},
    {Call::kSemWait, "sem_wait", ""},
    {Call::kJoin, "join", ""},
    {Call::kFutex, "futex", "syscall"},
    {Call::kRecv, "recv", "recv"},
    {Call::kAccept, "accept", "accept"},
    {Call::kWaitpid, "waitpid", ""},
    {Call::kPause, "pause", "pause"},
    {Call::kSigwait, "sigwait", "sigwait"},
    {Call::kMsgrcv, "msgrcv", "msgrcv"},
    {Call::kSemop, "semop", ""},
    {Call::kFlock, "flock", "flock"},
    {Call::kVfork, "vfork", "vfork"},
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCallsAreIntercepted = true;
#else
constexpr bool kCallsAreIntercepted = false;
#endif

class BlockingCallTest : public ::testing::TestWithParam<Case> {
 protected:
  // A walk of a thread that `variant` has blocked in the call, against the
  // truth that the thread itself has left.
  void Check(const ChainVariant& variant) {
    SCOPED_TRACE(variant.name);
    static auto* const kept = new std::vector<std::unique_ptr<Obstacles>>;
    Obstacles* obstacles =
        kept->emplace_back(std::make_unique<Obstacles>()).get();
    ChainState& state = obstacles->state;
    const DetachedThread thread(
        [&state, outer = variant.outer, call = GetParam().call] {
          outer(call, state);
        });
    while (!state.ready) usleep(1000);
    const auto blocked = WaitUntilBlocked(thread.tid());
    const CopiedStack stack(walking_.memory(), blocked);
    Compare(walking_.Of(stack.copy()), state.truth,
            std::string(variant.name) == "o2_alloca_tail_call");
    obstacles->Remove();
  }

  // All frames are those that libgcc found, besides the ones of the call
  // itself. Only where it `may_stop` may there be fewer.
  void Compare(const Walk& walk, const std::vector<uintptr_t>& truth,
               bool may_stop) {
    const std::vector<std::string> names = walking_.Names();
    const std::string chain = ::testing::PrintToString(names);
    ASSERT_TRUE(walk.complete || may_stop) << chain;
    // The innermost function of the chain, in which the call is.
    size_t block = 0;
    while (block < names.size() &&
           names[block].find("::Block(") == std::string::npos) {
      ++block;
    }
    ASSERT_LT(block, names.size()) << chain;
    ASSERT_GT(block, 0u) << chain;
    const std::vector<uint64_t> found = walking_.Addresses();
    const size_t depth = walk.depth - (walk.complete ? 0 : 1);
    for (size_t i = block + 1; i < depth; ++i) {
      ASSERT_LT(i - block, truth.size()) << chain;
      EXPECT_EQ(found[i], truth[i - block] - 1) << i << " of " << chain;
    }
    if (walk.complete) {
      EXPECT_EQ(depth - block, truth.size()) << chain;
    } else {
      EXPECT_EQ(names.back(), "[truncated]");
    }
    if (!kCallsAreIntercepted && GetParam().function[0] != 0) {
      EXPECT_EQ(names[block - 1], GetParam().function) << chain;
    }
  }

  Walking walking_;
};

TEST_P(BlockingCallTest, IsWalkedToTheRootThroughFramesOfEveryKind) {
  if (kCallsAreIntercepted && GetParam().call == Call::kVfork) {
    GTEST_SKIP() << "the sanitizer's vfork hides its return address";
  }
  for (const ChainVariant& variant : ChainVariants()) Check(variant);
}

INSTANTIATE_TEST_SUITE_P(All, BlockingCallTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) {
                           return std::string(info.param.name);
                         });

}  // namespace
}  // namespace wallprof::unwind
