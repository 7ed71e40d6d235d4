// One variant of the chain: CHAIN names it, and CHAIN_ALLOCA and
// CHAIN_TAIL_CALL say what is special.
#include <alloca.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

#include "tests/unwind/chain.h"

namespace CHAIN {

using wallprof::unwind::Call;
using wallprof::unwind::ChainState;

// Longer than any test takes.
constexpr int kSeconds = 1000;

#ifdef CHAIN_ALLOCA
// A size that the compiler does not know.
volatile int g_size = 200;
#define USE_STACK()                                         \
  volatile char* used = static_cast<char*>(alloca(g_size)); \
  used[0] = 1
#else
#define USE_STACK()       \
  volatile char used[40]; \
  used[0] = 1
#endif

_Unwind_Reason_Code AddFrame(_Unwind_Context* context, void* truth) {
  const uintptr_t ip = _Unwind_GetIP(context);
  if (ip == 0) return _URC_END_OF_STACK;
  static_cast<std::vector<uintptr_t>*>(truth)->push_back(ip);
  return _URC_NO_REASON;
}

// The call is not the last thing done, so that it is a call and no jump.
__attribute__((noinline)) int Block(Call call, ChainState& state) {
  USE_STACK();
  char bytes[64];
  timespec time = {kSeconds, 0};
  int status = 0;
  int result = 0;
  _Unwind_Backtrace(AddFrame, &state.truth);
  state.ready = true;
  switch (call) {
    case Call::kNanosleep:
      result = nanosleep(&time, nullptr);
      break;
    case Call::kUsleep:
      result = usleep(kSeconds * 1'000'000);
      break;
    case Call::kPoll: {
      pollfd fd = {state.empty_pipe, POLLIN, 0};
      result = poll(&fd, 1, kSeconds * 1000);
      break;
    }
    case Call::kSelect: {
      fd_set set;
      FD_ZERO(&set);
      FD_SET(state.empty_pipe, &set);
      result = select(state.empty_pipe + 1, &set, nullptr, nullptr, nullptr);
      break;
    }
    case Call::kEpollWait: {
      epoll_event event;
      result = epoll_wait(state.epoll, &event, 1, -1);
      break;
    }
    case Call::kReadPipe:
      result = static_cast<int>(read(state.empty_pipe, bytes, sizeof(bytes)));
      break;
    case Call::kReadBare:
      result = static_cast<int>(
          syscall(SYS_read, state.empty_pipe, bytes, sizeof(bytes)));
      break;
    case Call::kReadEvent:
      result = static_cast<int>(read(state.event, bytes, sizeof(uint64_t)));
      break;
    case Call::kWriteFullPipe:
      result = static_cast<int>(write(state.full_pipe, bytes, sizeof(bytes)));
      break;
    case Call::kMutexLock:
      result = pthread_mutex_lock(state.locked);
      break;
    case Call::kCondWait:
      pthread_mutex_lock(state.waited);
      result = pthread_cond_wait(state.condition, state.waited);
      break;
    case Call::kSemWait:
      result = sem_wait(state.semaphore);
      break;
    case Call::kJoin:
      result = pthread_join(state.thread, nullptr);
      break;
    case Call::kFutex:
      result = static_cast<int>(
          syscall(SYS_futex, &state.futex, FUTEX_WAIT, 0, nullptr));
      break;
    case Call::kRecv:
      result = static_cast<int>(recv(state.socket, bytes, sizeof(bytes), 0));
      break;
    case Call::kAccept:
      result = accept(state.listener, nullptr, nullptr);
      break;
    case Call::kWaitpid:
      result = waitpid(state.child, &status, 0);
      break;
    case Call::kPause:
      result = pause();
      break;
    case Call::kSigwait: {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGUSR2);
      result = sigwait(&set, &status);
      break;
    }
    case Call::kMsgrcv:
      result = static_cast<int>(msgrcv(state.message_queue, bytes,
                                       sizeof(bytes) - sizeof(long), 0, 0));
      break;
    case Call::kSemop: {
      sembuf operation = {0, -1, 0};
      result = semop(state.semaphore_set, &operation, 1);
      break;
    }
    case Call::kFlock:
      result = flock(state.locked_file, LOCK_EX);
      break;
    case Call::kVfork: {
      const pid_t child = vfork();
      if (child == 0) {
        // Until the test writes to the pipe. By bare calls, since the memory
        // is the parent's.
        char byte;
        syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
        syscall(SYS_read, state.empty_pipe, &byte, 1);
        syscall(SYS_exit_group, 0);
      }
      result = waitpid(child, &status, 0);
      break;
    }
  }
  used[1] = static_cast<char>(result);
  return used[1] + used[0];
}

__attribute__((noinline)) int Middle(Call call, ChainState& state) {
#ifdef CHAIN_TAIL_CALL
  return Block(call, state);  // a jump: this function leaves no frame
#else
  USE_STACK();
  return Block(call, state) + used[0];
#endif
}

__attribute__((noinline)) void Outer(Call call, ChainState& state) {
  USE_STACK();
  used[1] = static_cast<char>(Middle(call, state));
}

}  // namespace CHAIN
