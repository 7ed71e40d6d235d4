// Programs that know what they wait for.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "profiler/threads/proc_file.h"
#include "profiler/threads/task_directory.h"
#include "tests/capture/collected.h"

namespace wallprof::capture {
namespace {

constexpr char kAbsent[] = "";

CollectOptions Detailed() {
  CollectOptions options;
  options.detail = true;
  return options;
}

// Of a TCP connection to this process: two ends and where it goes.
struct Connection {
  int client = -1;
  int server = -1;
  std::string peer;
};

Connection Connect() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(listener, generic, size), 0);
  EXPECT_EQ(listen(listener, 1), 0);
  getsockname(listener, generic, &size);
  Connection made;
  made.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(made.client, generic, size), 0);
  made.server = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  close(listener);
  made.peer = absl::StrCat("tcp 127.0.0.1:", ntohs(address.sin_port));
  return made;
}

// A thread that waits in `wait` until the test ends it by `wake`.
class Waiting {
 public:
  Waiting(const std::string& name, std::function<void()> wait,
          std::function<void()> wake)
      : name_(name), wake_(std::move(wake)) {
    thread_ = std::thread([this, wait = std::move(wait)] {
      NameThread(name_);
      tid_ = gettid();
      wait();
    });
    // Until it is where it will stay.
    threads::ProcText text;
    const threads::TaskDirectory tasks;
    for (bool blocked = false; !blocked; usleep(1000)) {
      blocked = tid_ != 0 && tasks.Read(tid_, "stat", text) &&
                threads::ParseTaskStat(text.text())->state == 'S';
    }
  }
  ~Waiting() {
    wake_();
    thread_.join();
  }

  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::function<void()> wake_;
  std::atomic<pid_t> tid_{0};
  std::thread thread_;
};

// The time of a thread that has these two labels, as a share of all its time.
double ShareOf(const Collected& collected, const std::string& thread,
               const std::string& kind, const std::string& object) {
  const Collected::Filter is_thread = Collected::Thread(thread);
  const int64_t all = collected.Sum(is_thread).wall_ns;
  const int64_t labelled = collected
                               .Sum([&](const NamedSample& sample) {
                                 return is_thread(sample) &&
                                        sample.label("wait_kind") == kind &&
                                        sample.label("wait_object") == object;
                               })
                               .wall_ns;
  return all == 0 ? -1
                  : static_cast<double>(labelled) / static_cast<double>(all);
}

// What it is said to wait for, for failure messages.
std::string ObjectsOf(const Collected& collected, const std::string& thread) {
  std::set<std::string> objects;
  for (const NamedSample& sample : collected.samples()) {
    if (!Collected::Thread(thread)(sample)) continue;
    objects.insert(absl::StrCat(sample.label("wait_kind"), " ",
                                sample.label("wait_object"), " ",
                                sample.wall_ns));
  }
  return absl::StrJoin(objects, "\n");
}

TEST(WaitDetailTest, EveryKindOfWaitSaysWhatFor) {
  std::list<Waiting> threads;
  struct Truth {
    std::string thread, kind, object;
  };
  std::vector<Truth> truths;
  const auto add = [&](const char* name, const std::string& kind,
                       const std::string& object, std::function<void()> wait,
                       std::function<void()> wake) {
    threads.emplace_back(name, std::move(wait), std::move(wake));
    truths.push_back({name, kind, object});
  };
  const auto read_of = [](int fd) {
    return [fd] {
      char bytes[8];
      EXPECT_GT(read(fd, bytes, sizeof(bytes)), 0);
    };
  };
  const auto write_to = [](int fd) {
    return [fd] {
      const uint64_t one = 1;
      EXPECT_EQ(write(fd, &one, sizeof(one)), 8);
    };
  };

  const Connection connection = Connect();
  add("of-socket", "socket", connection.peer, read_of(connection.client),
      write_to(connection.server));
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  add("of-pipe", "pipe",
      std::string("pipe:[") + std::to_string([&] {
        struct stat status = {};
        fstat(ends[0], &status);
        return status.st_ino;
      }()) +
          "]",
      read_of(ends[0]), write_to(ends[1]));
  const int event = eventfd(0, EFD_CLOEXEC);
  add("of-eventfd", "event", "eventfd", read_of(event), write_to(event));
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  const itimerspec far = {{}, {3600, 0}};
  timerfd_settime(timer, 0, &far, nullptr);
  add("of-timer", "timer", "timerfd", read_of(timer), [timer] {
    const itimerspec soon = {{}, {0, 1}};
    timerfd_settime(timer, 0, &soon, nullptr);
  });
  const int set = epoll_create1(EPOLL_CLOEXEC);
  const int in_set = eventfd(0, EFD_CLOEXEC);
  epoll_event interest = {EPOLLIN, {}};
  ASSERT_EQ(epoll_ctl(set, EPOLL_CTL_ADD, in_set, &interest), 0);
  add(
      "of-epoll", "epoll", absl::StrCat("descriptor ", set),
      [set] {
        epoll_event happened;
        EXPECT_EQ(epoll_wait(set, &happened, 1, -1), 1);
      },
      write_to(in_set));
  pollfd polled[] = {{event, POLLPRI, 0}, {in_set, POLLIN, 0}};
  add(
      "of-poll", "io", "event eventfd, event eventfd",
      [&polled] { EXPECT_EQ(poll(polled, 2, -1), 1); }, write_to(in_set));
  char path[] = "/tmp/wallprof-detail-XXXXXX";
  const int locked = mkostemp(path, O_CLOEXEC);
  const int again = open(path, O_RDWR | O_CLOEXEC);
  ASSERT_EQ(flock(locked, LOCK_EX), 0);
  add(
      "of-file", "file", path, [again] { flock(again, LOCK_EX); },
      [locked] { flock(locked, LOCK_UN); });
  std::atomic<bool> stop{false};
  std::mutex mutex;
  mutex.lock();
  add(
      "of-lock", "lock",
      absl::StrCat("0x", absl::Hex(reinterpret_cast<uint64_t>(&mutex))),
      [&mutex] { std::lock_guard lock(mutex); }, [&mutex] { mutex.unlock(); });
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  add(
      "of-child", "child", absl::StrCat("process ", child),
      [child] { waitpid(child, nullptr, 0); },
      [child] { kill(child, SIGKILL); });
  std::atomic<pid_t> joined{0};
  int end_of_joined[2];
  ASSERT_EQ(pipe2(end_of_joined, O_CLOEXEC), 0);
  std::thread ends_late([&] {
    joined = gettid();
    char byte;
    EXPECT_EQ(read(end_of_joined[0], &byte, 1), 1);
  });
  while (joined == 0) usleep(100);
  add(
      "of-join", "join", absl::StrCat("thread ", joined.load()),
      [&ends_late] { ends_late.join(); },
      [&] { EXPECT_EQ(write(end_of_joined[1], "x", 1), 1); });
  add(
      "of-sleep", "sleep", kAbsent,
      [&stop] {
        while (!stop) usleep(300'000);
      },
      [&stop] { stop = true; });

  Profiling profiling;
  const Collected collected =
      profiling.Collect(absl::Milliseconds(600), Detailed());
  for (const Truth& truth : truths) {
    EXPECT_GT(ShareOf(collected, truth.thread, truth.kind, truth.object), 0.97)
        << truth.thread << ":\n"
        << ObjectsOf(collected, truth.thread);
  }
  unlink(path);
  // What they wait for must stand until they have ended.
  threads.clear();
}

// Beside one who asks, who has the same profile as ever.
TEST(WaitDetailTest, WhoDoesNotAskSeesNothingOfIt) {
  const Connection first = Connect();
  const Connection second = Connect();
  std::atomic<bool> stop{false};
  Waiting thread(
      "of-two",
      [&] {
        for (int i = 0; !stop; ++i) {
          pollfd one = {i % 2 == 0 ? first.client : second.client, POLLIN, 0};
          timeval soon = {0, 20'000};
          setsockopt(one.fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
          char byte;
          EXPECT_EQ(recv(one.fd, &byte, 1, 0), -1);
        }
      },
      [&] { stop = true; });
  Profiling profiling;
  std::optional<Collected> detailed;
  std::thread beside(
      [&] { detailed = profiling.Collect(absl::Seconds(1), Detailed()); });
  usleep(100'000);
  const Collected plain = profiling.Collect(absl::Milliseconds(600));
  beside.join();
  for (const std::string& peer : {first.peer, second.peer}) {
    EXPECT_GT(ShareOf(*detailed, "of-two", "socket", peer), 0.3)
        << ObjectsOf(*detailed, "of-two");
  }
  std::set<std::string> seen;
  for (const NamedSample& sample : plain.samples()) {
    EXPECT_EQ(sample.label("wait_kind"), kAbsent);
    EXPECT_EQ(sample.label("wait_object"), kAbsent);
    const std::string key =
        absl::StrCat(sample.label("tid"), sample.label("state"),
                     sample.label("wait"), absl::StrJoin(sample.stack, ";"));
    EXPECT_TRUE(seen.insert(key).second) << "twice: " << key;
  }
}

// One number, two files in turn: which of them a look met is not known.
TEST(WaitDetailTest, ANumberThatIsUsedAgainIsNotNamedByOneOfItsFiles) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Connection connection = Connect();
  const int number = dup(ends[0]);
  std::atomic<bool> stop{false};
  Waiting thread(
      "of-several",
      [&] {
        char byte;
        for (int i = 0; !stop; ++i) {
          dup2(i % 2 == 0 ? ends[0] : connection.client, number);
          EXPECT_EQ(read(number, &byte, 1), 1);
        }
      },
      [&] {
        stop = true;
        EXPECT_EQ(write(ends[1], "x", 1), 1);
        EXPECT_EQ(write(connection.server, "x", 1), 1);
      });
  std::thread writer([&] {
    for (int i = 0; i < 6; ++i) {
      usleep(130'000);
      EXPECT_EQ(write(i % 2 == 0 ? ends[1] : connection.server, "x", 1), 1);
    }
  });
  Profiling profiling;
  const Collected collected = profiling.Collect(absl::Seconds(1), Detailed());
  writer.join();
  EXPECT_GT(ShareOf(collected, "of-several", "io",
                    absl::StrCat("descriptor ", number, ", several in turn")),
            0.9)
      << ObjectsOf(collected, "of-several");
}

TEST(WaitDetailTest, WaitsForLocksNameTheLock) {
  std::mutex mutex;
  std::atomic<bool> stop{false};
  std::atomic<bool> held{false};
  Waiting holder(
      "holds",
      [&] {
        std::lock_guard lock(mutex);
        held = true;
        while (!stop) usleep(50'000);
      },
      [&] { stop = true; });
  ASSERT_TRUE(held);
  Waiting waiter(
      "waits", [&] { std::lock_guard lock(mutex); }, [&] { stop = true; });
  Profiling profiling;
  CollectOptions how = Detailed();
  how.view = View::kBlockedBy;
  const Collected waits = profiling.Collect(absl::Milliseconds(300), how);
  EXPECT_GT(ShareOf(waits, "waits", "lock",
                    absl::StrCat(
                        "0x", absl::Hex(reinterpret_cast<uint64_t>(&mutex)))),
            0.9)
      << ObjectsOf(waits, "waits");
}

}  // namespace
}  // namespace wallprof::capture
