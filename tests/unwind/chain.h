// Chains of known functions that end in a system call that blocks.
//
// The same source is compiled with different options, each into a namespace of
// its own, so that frames of every kind are below the call.
#ifndef WALLPROF_TESTS_UNWIND_CHAIN_H_
#define WALLPROF_TESTS_UNWIND_CHAIN_H_

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace wallprof::unwind {

enum class Call {
  kNanosleep,
  kUsleep,
  kPoll,
  kSelect,
  kEpollWait,
  kReadPipe,
  kReadBare,  // by syscall(), which sanitizers do not intercept
  kReadEvent,
  kWriteFullPipe,
  kMutexLock,
  kCondWait,
  kSemWait,
  kJoin,
  kFutex,
  kRecv,
  kAccept,
  kWaitpid,
  kPause,
  kSigwait,
  kMsgrcv,
  kSemop,
  kFlock,
  kVfork,
};

// What the calls block on, and what a chain leaves for the test to compare.
struct ChainState {
  int empty_pipe = -1;  // read end
  int full_pipe = -1;   // write end
  int event = -1;
  int epoll = -1;
  int socket = -1;
  int listener = -1;
  int locked_file = -1;
  int message_queue = -1;
  int semaphore_set = -1;
  pid_t child = -1;
  pthread_t thread{};
  pthread_mutex_t* locked = nullptr;
  pthread_mutex_t* waited = nullptr;
  pthread_cond_t* condition = nullptr;
  sem_t* semaphore = nullptr;
  int futex = 0;

  // Stack of the innermost function of the chain as libgcc unwinds it, on the
  // thread itself: first an address in that function, then return addresses up
  // to the thread's root.
  std::vector<uintptr_t> truth;
  std::atomic<bool> ready{false};  // about to call
};

// Outer calls Middle calls Block, which makes the call.
using Chain = void (*)(Call call, ChainState& state);

struct ChainVariant {
  const char* name;  // the functions' namespace
  Chain outer;
};

// One a set of compiler options; see CMakeLists.txt.
const std::vector<ChainVariant>& ChainVariants();
Chain ChainNamed(const std::string& name);

}  // namespace wallprof::unwind

#endif  // WALLPROF_TESTS_UNWIND_CHAIN_H_
