#include "profiler/threads/wait_target.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "profiler/threads/socket_peer.h"

namespace wallprof::threads {
namespace {

constexpr Tid kSomeThread = 4711;

WaitWorld OwnWorld() {
  WaitWorld world;
  world.read = [](uint64_t address, void* to, size_t size) {
    memcpy(to, reinterpret_cast<const void*>(address), size);
    return size;
  };
  world.is_thread = [](Tid tid) { return tid == kSomeThread; };
  return world;
}

SyscallState Call(int number, uint64_t first = 0, uint64_t second = 0,
                  uint64_t third = 0) {
  SyscallState state;
  state.kind = SyscallState::Kind::kInSyscall;
  state.number = number;
  state.arguments = {first, second, third};
  return state;
}

WaitTarget Describe(const SyscallState& state) {
  return DescribeWait(state, OwnWorld());
}

WaitTarget DescribeRead(const FileDescriptor& fd) {
  return Describe(Call(SYS_read, static_cast<uint64_t>(fd.get())));
}

TEST(WaitTargetTest, CallsThatSayAllByThemselves) {
  EXPECT_EQ(Describe(Call(SYS_nanosleep)), (WaitTarget{"sleep", ""}));
  EXPECT_EQ(Describe(Call(SYS_poll, 0, 0)), (WaitTarget{"sleep", ""}));
  EXPECT_EQ(Describe(Call(SYS_pause)), (WaitTarget{"signal", ""}));
  EXPECT_EQ(Describe(Call(SYS_wait4, 71)), (WaitTarget{"child", "process 71"}));
  EXPECT_EQ(Describe(Call(SYS_wait4, ~uint64_t{0})),
            (WaitTarget{"child", "any"}));
  EXPECT_EQ(Describe(Call(SYS_waitid, 1, 71)),
            (WaitTarget{"child", "process 71"}));
  EXPECT_EQ(Describe(Call(SYS_epoll_wait, 5)),
            (WaitTarget{"epoll", "descriptor 5"}));
  EXPECT_EQ(Describe(Call(SYS_sched_yield)), WaitTarget());
  EXPECT_EQ(Describe(SyscallState()), WaitTarget()) << "it runs";
}

TEST(WaitTargetTest, FilesPipesAndTheLike) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const FileDescriptor out(ends[0]), in(ends[1]);
  EXPECT_EQ(DescribeRead(out).kind, "pipe");
  EXPECT_EQ(DescribeRead(FileDescriptor(open("/etc/passwd", O_CLOEXEC))),
            (WaitTarget{"file", "/etc/passwd"}));
  EXPECT_EQ(DescribeRead(FileDescriptor(open("/dev/zero", O_CLOEXEC))),
            (WaitTarget{"device", "/dev/zero"}));
  EXPECT_EQ(DescribeRead(FileDescriptor(eventfd(0, EFD_CLOEXEC))),
            (WaitTarget{"event", "eventfd"}));
  EXPECT_EQ(DescribeRead(
                FileDescriptor(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC))),
            (WaitTarget{"timer", "timerfd"}));
  EXPECT_EQ(DescribeRead(FileDescriptor(epoll_create1(EPOLL_CLOEXEC))).kind,
            "epoll");
  EXPECT_EQ(Describe(Call(SYS_read, 123456)),
            (WaitTarget{"io", "descriptor 123456"}));
}

TEST(WaitTargetTest, SocketsHaveTheirPeer) {
  const FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size),
            0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const std::string port = std::to_string(ntohs(address.sin_port));
  EXPECT_EQ(Describe(Call(SYS_accept4, static_cast<uint64_t>(listener.get()))),
            (WaitTarget{"socket", "tcp 127.0.0.1:" + port + " (listening)"}));
  const FileDescriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), size),
            0);
  EXPECT_EQ(DescribeRead(client),
            (WaitTarget{"socket", "tcp 127.0.0.1:" + port}));
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const FileDescriptor one(pair[0]), other(pair[1]);
  EXPECT_EQ(DescribeRead(one), (WaitTarget{"socket", "unix"}));
}

TEST(WaitTargetTest, PolledDescriptorsAreNamedTogether) {
  const FileDescriptor event(eventfd(0, EFD_CLOEXEC));
  pollfd polled[6];
  for (pollfd& each : polled) each = {event.get(), POLLIN, 0};
  const auto address = reinterpret_cast<uint64_t>(polled);
  EXPECT_EQ(Describe(Call(SYS_poll, address, 1)),
            (WaitTarget{"event", "eventfd"}));
  EXPECT_EQ(Describe(Call(SYS_ppoll, address, 2)),
            (WaitTarget{"io", "event eventfd, event eventfd"}));
  EXPECT_THAT(Describe(Call(SYS_poll, address, 6)).object,
              ::testing::EndsWith("eventfd and 2 more"));
}

TEST(WaitTargetTest, AJoinIsToldByTheThreadsNumber) {
  uint32_t word = kSomeThread;
  const auto address = reinterpret_cast<uint64_t>(&word);
  EXPECT_EQ(Describe(Call(SYS_futex, address, 0, kSomeThread)),
            (WaitTarget{"join", "thread 4711"}));
  EXPECT_EQ(Describe(Call(SYS_futex, address, 0, 2)),
            (WaitTarget{"futex", ""}));
  word = 0;
  EXPECT_EQ(Describe(Call(SYS_futex, address, 0, kSomeThread)),
            (WaitTarget{"futex", ""}));
}

TEST(WaitTargetTest, WhoRemembersPeersIsAskedForThem) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const FileDescriptor one(pair[0]), other(pair[1]);
  std::string asked;
  WaitWorld world = OwnWorld();
  world.peer = [&](const std::string& inode) {
    asked = inode;
    return "somebody";
  };
  EXPECT_EQ(DescribeDescriptor(one.get(), world),
            (WaitTarget{"socket", "somebody"}));
  const auto all = SocketPeers("/proc/self");
  ASSERT_TRUE(all.contains(asked));
  EXPECT_EQ(all.at(asked), "unix");
  EXPECT_EQ(all.at(asked), SocketPeer(asked, "/proc/self"));
  EXPECT_TRUE(SocketPeers("/nowhere").empty());
}

TEST(ReadableAddressTest, BothFamilies) {
  EXPECT_EQ(ReadableAddress("0100007F:1538"), "127.0.0.1:5432");
  EXPECT_EQ(ReadableAddress("00000000000000000000000001000000:0050"),
            "[::1]:80");
}

TEST(ReadableAddressTest, WhatIsNoneIsEmpty) {
  for (const char* text : {"", ":", "0100007F", "0100007F:", "01:50", "x:50",
                           "0100007G:0050", "0100007F:10000"}) {
    EXPECT_EQ(ReadableAddress(text), "") << text;
  }
}

}  // namespace
}  // namespace wallprof::threads
