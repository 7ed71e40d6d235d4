#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>

#include "bench/harm/blocking_call.h"

namespace wallprof::harm {
namespace {

int ErrorOf(long result) { return result == -1 ? errno : 0; }

// A byte more than there was: what a read gives.
int ReadOne(int fd) {
  char byte;
  return ErrorOf(read(fd, &byte, 1));
}

void WriteOne(int fd) {
  if (write(fd, "x", 1) != 1) abort();
}

class WokenCall : public BlockingCall {
 public:
  WokenCall(std::string name, std::function<int()> block,
            std::function<void()> wake)
      : BlockingCall(std::move(name)),
        block_(std::move(block)),
        wake_(std::move(wake)) {}

  int Block() override { return block_(); }
  void Wake() override { wake_(); }

 private:
  const std::function<int()> block_;
  const std::function<void()> wake_;
};

// The calls being collected. What they use lives as long as the program.
class Calls {
 public:
  void Add(std::string name, std::function<int()> block,
           std::function<void()> wake) {
    calls_.push_back(std::make_unique<WokenCall>(
        std::move(name), std::move(block), std::move(wake)));
  }
  std::vector<std::unique_ptr<BlockingCall>> Take() {
    return std::move(calls_);
  }

 private:
  std::vector<std::unique_ptr<BlockingCall>> calls_;
};

void AddDescriptors(Calls& calls) {
  int pipe_ends[2], sockets[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0 ||
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    abort();
  }
  calls.Add(
      "read pipe", [fd = pipe_ends[0]] { return ReadOne(fd); },
      [fd = pipe_ends[1]] { WriteOne(fd); });
  calls.Add(
      "recv",
      [fd = sockets[0]] {
        char byte;
        return ErrorOf(recv(fd, &byte, 1, 0));
      },
      [fd = sockets[1]] { WriteOne(fd); });
  const int event = eventfd(0, EFD_CLOEXEC);
  calls.Add(
      "read eventfd",
      [event] {
        eventfd_t count;
        return ErrorOf(eventfd_read(event, &count));
      },
      [event] { eventfd_write(event, 1); });
}

int ListenNowhere(int backlog, sockaddr_un& address, socklen_t& size) {
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un nameless = {AF_UNIX, {}};
  size = sizeof(address);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&nameless),
           sizeof(sa_family_t)) != 0 ||
      listen(listener, backlog) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) !=
          0) {
    abort();
  }
  return listener;
}

int Connect(const sockaddr_un& address, socklen_t size) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int error =
      ErrorOf(connect(fd, reinterpret_cast<const sockaddr*>(&address), size));
  close(fd);
  return error;
}

void AddConnections(Calls& calls) {
  sockaddr_un address;
  socklen_t size;
  const int listener = ListenNowhere(8, address, size);
  calls.Add(
      "accept",
      [listener] {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        const int error = ErrorOf(fd);
        if (fd >= 0) close(fd);
        return error;
      },
      [=] { Connect(address, size); });
  // One connection waits to be accepted; a second one has no room.
  const int full = ListenNowhere(0, address, size);
  Connect(address, size);
  calls.Add(
      "connect, backlog full", [=] { return Connect(address, size); },
      [full] { close(accept4(full, nullptr, nullptr, SOCK_CLOEXEC)); });
}

void AddThreads(Calls& calls) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  static bool ready = false;
  calls.Add(
      "cond_wait",
      [] {
        pthread_mutex_lock(&mutex);
        while (!ready) pthread_cond_wait(&condition, &mutex);
        ready = false;
        pthread_mutex_unlock(&mutex);
        return 0;
      },
      [] {
        pthread_mutex_lock(&mutex);
        ready = true;
        pthread_cond_signal(&condition);
        pthread_mutex_unlock(&mutex);
      });
  static sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  calls.Add(
      "sem_wait", [] { return ErrorOf(sem_wait(&semaphore)); },
      [] { sem_post(&semaphore); });
  static std::atomic<uint32_t> word{0};
  calls.Add(
      "futex",
      [] {
        while (word == 0) {
          const long result = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0,
                                      nullptr, nullptr, 0);
          if (result == -1 && errno == EINTR) return EINTR;
        }
        word = 0;
        return 0;
      },
      [] {
        word = 1;
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
      });
}

void AddFiles(Calls& calls) {
  // Two open files of one memory file exclude each other.
  const int one = memfd_create("locked", MFD_CLOEXEC);
  const int other = open(("/proc/self/fd/" + std::to_string(one)).c_str(),
                         O_RDWR | O_CLOEXEC);
  if (other < 0) abort();
  flock(other, LOCK_EX);
  calls.Add(
      "flock",
      [one] {
        const int error = ErrorOf(flock(one, LOCK_EX));
        // Interrupted is interrupted; but who wakes it waits until it has it.
        while (error != 0 && flock(one, LOCK_EX) != 0) {
        }
        return error;
      },
      [one, other] {
        flock(other, LOCK_UN);
        // Until the other has it, then it is to wait again.
        while (flock(other, LOCK_EX | LOCK_NB) == 0) {
          flock(other, LOCK_UN);
          usleep(100);
        }
        flock(one, LOCK_UN);
        flock(other, LOCK_EX);
      });
}

void AddProcesses(Calls& calls) {
  static std::atomic<pid_t> child{0};
  calls.Add(
      "waitpid",
      [] {
        pid_t pid = 0;
        const char* const arguments[] = {"sleep", "60", nullptr};
        if (posix_spawnp(&pid, "sleep", nullptr, nullptr,
                         const_cast<char* const*>(arguments), environ) != 0) {
          abort();
        }
        child = pid;
        int error = ErrorOf(waitpid(pid, nullptr, 0));
        // Interrupted is interrupted; but the child must not remain.
        if (error != 0) waitpid(pid, nullptr, 0);
        return error;
      },
      [] {
        while (child == 0) usleep(100);
        kill(child.exchange(0), SIGKILL);
      });
  const int queue = msgget(IPC_PRIVATE, 0600);
  struct Message {
    long type;
    char byte;
  };
  calls.Add(
      "msgrcv",
      [queue] {
        Message message;
        return ErrorOf(msgrcv(queue, &message, 1, 0, 0));
      },
      [queue] {
        const Message message = {1, 'x'};
        msgsnd(queue, &message, 1, 0);
      });
}

// Ends by a signal of the program's own; any other must not end it.
void AddSignals(Calls& calls) {
  static std::atomic<pthread_t> pausing{0};
  static std::atomic<int> handled{0};
  struct sigaction count = {};
  count.sa_handler = [](int) { handled.fetch_add(1); };
  sigaction(SIGHUP, &count, nullptr);
  calls.Add(
      "sigsuspend",
      [] {
        // Blocked but for the wait, so that none comes before it.
        sigset_t own, before;
        sigemptyset(&own);
        sigaddset(&own, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &own, &before);
        const int handled_before = handled;
        pausing = pthread_self();
        sigdelset(&before, SIGHUP);
        sigsuspend(&before);
        const bool by_own = handled != handled_before;
        while (handled == handled_before) sigsuspend(&before);
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return by_own ? 0 : EINTR;
      },
      [] {
        while (pausing == 0) usleep(100);
        pthread_kill(pausing.exchange(0), SIGHUP);
      });
}

}  // namespace

std::vector<std::unique_ptr<BlockingCall>> WokenCalls() {
  Calls calls;
  AddDescriptors(calls);
  AddConnections(calls);
  AddThreads(calls);
  AddFiles(calls);
  AddProcesses(calls);
  AddSignals(calls);
  return calls.Take();
}

}  // namespace wallprof::harm
