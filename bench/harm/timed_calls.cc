#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "bench/harm/blocking_call.h"

namespace wallprof::harm {
namespace {

constexpr int64_t kMs = 1'000'000;

// What most calls wait for.
constexpr int kWaitMs = 3;
constexpr timespec kWait = {0, kWaitMs* kMs};

// Timeouts that the kernel counts in its own ticks, of up to 10 ms, can end as
// much early by themselves.
constexpr int kCoarseMs = 25;
constexpr int kTickMs = 10;

int ErrorOf(long result) { return result == -1 ? errno : 0; }

timespec After(clockid_t clock, int64_t ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  timespec time;
  clock_gettime(clock, &time);
  const int64_t at = time.tv_sec * kSecond + time.tv_nsec + ns;
  return {static_cast<time_t>(at / kSecond), static_cast<long>(at % kSecond)};
}

class TimedCall : public BlockingCall {
 public:
  TimedCall(std::string name, int64_t at_least_ns, std::function<int()> block)
      : BlockingCall(std::move(name)),
        at_least_ns_(at_least_ns),
        block_(std::move(block)) {}

  int Block() override { return block_(); }
  int64_t at_least_ns() const override { return at_least_ns_; }

 private:
  const int64_t at_least_ns_;
  const std::function<int()> block_;
};

// Timing out is how these end; anything else is an error.
int Expect(int expected, int error) { return error == expected ? 0 : error; }

}  // namespace

std::vector<std::unique_ptr<BlockingCall>> TimedCalls() {
  std::vector<std::unique_ptr<BlockingCall>> calls;
  const auto add = [&](std::string name, std::function<int()> block,
                       int64_t at_least_ms = kWaitMs) {
    calls.push_back(std::make_unique<TimedCall>(
        std::move(name), at_least_ms * kMs, std::move(block)));
  };
  add("poll", [] { return ErrorOf(poll(nullptr, 0, kWaitMs)); });
  add("ppoll", [] { return ErrorOf(ppoll(nullptr, 0, &kWait, nullptr)); });
  add("select", [] {
    timeval wait = {0, kWaitMs * 1000};
    return ErrorOf(select(0, nullptr, nullptr, nullptr, &wait));
  });
  add("pselect", [] {
    return ErrorOf(pselect(0, nullptr, nullptr, nullptr, &kWait, nullptr));
  });
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  add("epoll_wait", [epoll] {
    epoll_event event;
    return ErrorOf(epoll_wait(epoll, &event, 1, kWaitMs));
  });
  add("nanosleep", [] { return ErrorOf(nanosleep(&kWait, nullptr)); });
  add(
      "nanosleep 1000/s",
      [] {
        const timespec wait = {0, kMs};
        return ErrorOf(nanosleep(&wait, nullptr));
      },
      1);
  add("clock_nanosleep",
      [] { return clock_nanosleep(CLOCK_MONOTONIC, 0, &kWait, nullptr); });
  add("clock_nanosleep abs", [] {
    const timespec until = After(CLOCK_MONOTONIC, kWaitMs * kMs);
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  });
  add("usleep", [] { return ErrorOf(usleep(kWaitMs * 1000)); });
  // The seconds left are cut to a whole number: an early end reads as none.
  add(
      "sleep(1)", [] { return sleep(1) != 0 ? EINTR : 0; }, 1000);
  add("sigtimedwait", [] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    return Expect(EAGAIN, ErrorOf(sigtimedwait(&set, nullptr, &kWait)));
  });
  // Wall clock time, which may be slewed.
  add("sem_timedwait", [] {
    static sem_t* const semaphore = [] {
      auto* made = new sem_t;
      sem_init(made, 0, 0);
      return made;
    }();
    const timespec until = After(CLOCK_REALTIME, 2 * kWaitMs * kMs);
    return Expect(ETIMEDOUT, ErrorOf(sem_timedwait(semaphore, &until)));
  });
  add("futex timeout", [] {
    static uint32_t word = 0;
    return Expect(ETIMEDOUT,
                  ErrorOf(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0,
                                  &kWait, nullptr, 0)));
  });
  add("cond_timedwait", [] {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    const timespec until = After(CLOCK_REALTIME, 2 * kWaitMs * kMs);
    pthread_mutex_lock(&mutex);
    const int error = pthread_cond_timedwait(&condition, &mutex, &until);
    pthread_mutex_unlock(&mutex);
    return Expect(ETIMEDOUT, error);
  });
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) abort();
  const timeval coarse = {0, kCoarseMs * 1000};
  setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &coarse, sizeof(coarse));
  add(
      "recv SO_RCVTIMEO",
      [socket = sockets[0]] {
        char byte;
        return Expect(EAGAIN, ErrorOf(recv(socket, &byte, 1, 0)));
      },
      kCoarseMs - kTickMs);
  const int set = semget(IPC_PRIVATE, 1, 0600);
  add(
      "semtimedop",
      [set] {
        sembuf take = {0, -1, 0};
        const timespec wait = {0, kCoarseMs * kMs};
        return Expect(EAGAIN, ErrorOf(semtimedop(set, &take, 1, &wait)));
      },
      kCoarseMs - kTickMs);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  add("read timerfd", [timer] {
    const itimerspec once = {{0, 0}, kWait};
    uint64_t expirations;
    timerfd_settime(timer, 0, &once, nullptr);
    return ErrorOf(read(timer, &expirations, sizeof(expirations)));
  });
  return calls;
}

}  // namespace wallprof::harm
