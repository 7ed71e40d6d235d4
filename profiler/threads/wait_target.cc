#include "profiler/threads/wait_target.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <climits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "profiler/threads/socket_peer.h"
#include "profiler/threads/wait_form.h"

namespace wallprof::threads {
namespace {

// Of descriptors that are polled together no more are named.
constexpr size_t kMaxNamed = 4;

std::string LinkOf(int fd, const WaitWorld& world) {
  std::array<char, PATH_MAX> target;
  const std::string path = absl::StrCat(world.root, "/fd/", fd);
  const ssize_t n = readlink(path.c_str(), target.data(), target.size());
  return n < 0 ? "" : std::string(target.data(), static_cast<size_t>(n));
}

// What anonymous inodes are called, and what we call them.
WaitTarget DescribeAnonymous(absl::string_view name) {
  if (name == "[eventfd]") return {"event", "eventfd"};
  if (name == "[timerfd]") return {"timer", "timerfd"};
  if (name == "[eventpoll]") return {"epoll", ""};
  if (name == "[signalfd]") return {"signal", "signalfd"};
  if (name == "inotify") return {"event", "inotify"};
  return {"io", std::string(name)};
}

// Those polled for, as one.
WaitTarget DescribePoll(uint64_t address, uint64_t count,
                        const WaitWorld& world) {
  if (count == 0) return {"sleep", ""};
  std::array<pollfd, kMaxNamed> polled;
  const size_t named = count < kMaxNamed ? count : kMaxNamed;
  const size_t bytes = named * sizeof(pollfd);
  if (world.read(address, polled.data(), bytes) != bytes) return {"io", ""};
  if (count == 1) return DescribeDescriptor(polled[0].fd, world);
  std::string all;
  for (size_t i = 0; i < named; ++i) {
    const WaitTarget each = DescribeDescriptor(polled[i].fd, world);
    absl::StrAppend(&all, i == 0 ? "" : ", ", each.kind,
                    each.object.empty() ? "" : " ", each.object);
  }
  if (count > named) absl::StrAppend(&all, " and ", count - named, " more");
  return {"io", all};
}

WaitTarget DescribeFutex(const SyscallState& state, const WaitWorld& world) {
  // pthread_join waits for the word that holds the thread's number to change.
  const auto value = static_cast<Tid>(state.arguments[2]);
  uint32_t word = 0;
  if (value > 1 && world.is_thread(value) &&
      world.read(state.arguments[0], &word, sizeof(word)) == sizeof(word) &&
      word == static_cast<uint32_t>(value)) {
    return {"join", absl::StrCat("thread ", value)};
  }
  return {"futex", ""};
}

WaitTarget DescribeChild(int64_t pid) {
  if (pid > 0) return {"child", absl::StrCat("process ", pid)};
  return {"child", pid == -1 ? "any" : absl::StrCat("group ", -pid)};
}

}  // namespace

WaitTarget DescribeDescriptor(int fd, const WaitWorld& world) {
  const std::string link = LinkOf(fd, world);
  absl::string_view rest = link;
  if (link.empty()) return {"io", absl::StrCat("descriptor ", fd)};
  if (absl::ConsumePrefix(&rest, "socket:[")) {
    absl::ConsumeSuffix(&rest, "]");
    const std::string inode(rest);
    return {"socket",
            world.peer ? world.peer(inode) : SocketPeer(inode, world.root)};
  }
  if (absl::StartsWith(rest, "pipe:")) return {"pipe", link};
  if (absl::ConsumePrefix(&rest, "anon_inode:")) return DescribeAnonymous(rest);
  if (absl::StartsWith(rest, "/dev/pts/") || rest == "/dev/tty") {
    return {"terminal", link};
  }
  if (absl::StartsWith(rest, "/dev/")) return {"device", link};
  return {"file", link};
}

WaitTarget DescribeWait(const SyscallState& state, const WaitWorld& world) {
  if (state.kind != SyscallState::Kind::kInSyscall) return {};
  const auto fd = static_cast<int>(state.arguments[0]);
  switch (WaitFormOf(state.number)) {
    case WaitForm::kSleep:
      return {"sleep", ""};
    case WaitForm::kSignal:
      return {"signal", ""};
    case WaitForm::kChild:
      return DescribeChild(fd);
    case WaitForm::kChildById:
      return DescribeChild(state.arguments[0] == 1  // P_PID
                               ? static_cast<int>(state.arguments[1])
                               : -1);
    case WaitForm::kFutex:
      return DescribeFutex(state, world);
    case WaitForm::kPoll:
      return DescribePoll(state.arguments[0], state.arguments[1], world);
    case WaitForm::kSelect:
      return {state.arguments[0] == 0 ? "sleep" : "io", ""};
    case WaitForm::kEpoll:
      return {"epoll", absl::StrCat("descriptor ", fd)};
    case WaitForm::kDescriptor:
      return DescribeDescriptor(fd, world);
    case WaitForm::kUnknown:
      break;
  }
  return {};
}

}  // namespace wallprof::threads
