// Signals of the handler's number that are not the profiler's.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstring>

#include "profiler/capture/signal/handler.h"
#include "tests/capture/signal/handled_signal.h"

namespace wallprof::capture {
namespace {

// What the program's handler saw.
struct Seen {
  int count = 0;
  int signal = 0;
  int code = 0;
  void* value = nullptr;
  sigset_t mask;
};
Seen g_seen;

void Plain(int signal) {
  ++g_seen.count;
  g_seen.signal = signal;
  pthread_sigmask(SIG_SETMASK, nullptr, &g_seen.mask);
}

void WithInfo(int signal, siginfo_t* info, void* context) {
  Plain(signal);
  g_seen.code = info->si_code;
  g_seen.value = info->si_value.sival_ptr;
  EXPECT_NE(context, nullptr);
}

struct sigaction Action(int flags, std::initializer_list<int> mask = {}) {
  struct sigaction action = {};
  action.sa_flags = flags;
  if ((flags & SA_SIGINFO) != 0) {
    action.sa_sigaction = WithInfo;
  } else {
    action.sa_handler = Plain;
  }
  for (const int signal : mask) sigaddset(&action.sa_mask, signal);
  return action;
}

class PassOnTest : public ::testing::Test {
 protected:
  PassOnTest() : program_(SIGURG, DefaultAction()) {
    PublishedRequests();
    g_seen = {};
  }

  static bool Blocked(int signal) {
    return sigismember(&g_seen.mask, signal) == 1;
  }

  static sigset_t MaskNow() {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return mask;
  }

  const ScopedAction program_;
};

TEST_F(PassOnTest, ForeignSignalsReachTheProgramsHandler) {
  const ScopedAction program(SIGURG, Action(0));
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  raise(SIGURG);
  kill(getpid(), SIGURG);
  EXPECT_EQ(g_seen.count, 2);
  EXPECT_EQ(g_seen.signal, SIGURG);
}

TEST_F(PassOnTest, OwnSignalsDoNot) {
  const ScopedAction program(SIGURG, Action(0));
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  AskSelf(PublishedRequests()[0]);
  SignalThread(OwnTid(), SIGURG, &PublishedRequests()[0]);  // stale
  EXPECT_EQ(g_seen.count, 0);
}

TEST_F(PassOnTest, HandlersThatWantToKnowMoreAreToldIt) {
  const ScopedAction program(SIGURG, Action(SA_SIGINFO));
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  int mine = 0;
  sigval value;
  value.sival_ptr = &mine;
  sigqueue(getpid(), SIGURG, value);
  EXPECT_EQ(g_seen.count, 1);
  EXPECT_EQ(g_seen.code, SI_QUEUE);
  EXPECT_EQ(g_seen.value, &mine);
}

TEST_F(PassOnTest, RunsUnderTheMaskThatTheHandlerAskedFor) {
  const ScopedAction program(SIGURG, Action(0, {SIGUSR1}));
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const sigset_t at_signal = MaskNow();
  raise(SIGURG);
  EXPECT_TRUE(Blocked(SIGUSR1)) << "what it asked for";
  EXPECT_TRUE(Blocked(SIGURG)) << "the signal itself";
  EXPECT_TRUE(Blocked(SIGUSR2)) << "what the thread had blocked";
  EXPECT_FALSE(Blocked(SIGTERM)) << "and nothing else";
  const sigset_t after = MaskNow();
  EXPECT_EQ(memcmp(&after, &at_signal, 8), 0) << "as it was";
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(PassOnTest, SignalMayComeAgainWhereTheHandlerSaysSo) {
  const ScopedAction program(SIGURG, Action(SA_NODEFER));
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  raise(SIGURG);
  EXPECT_FALSE(Blocked(SIGURG));
}

TEST_F(PassOnTest, IgnoredSignalsStayIgnored) {
  for (const auto handler : {SIG_DFL, SIG_IGN}) {
    struct sigaction action = {};
    action.sa_handler = handler;
    const ScopedAction program(SIGURG, action);
    ASSERT_EQ(InstallHandler(SIGURG), 0);
    const int64_t before = GetSignalTallies().foreign;
    raise(SIGURG);
    EXPECT_EQ(GetSignalTallies().foreign, before + 1);
  }
}

TEST_F(PassOnTest, InstallingTwiceDoesNotPassOnToItself) {
  const ScopedAction program(SIGURG, Action(0));
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  raise(SIGURG);
  EXPECT_EQ(g_seen.count, 1);
}

bool RestartsCalls() {
  struct sigaction installed;
  sigaction(SIGURG, nullptr, &installed);
  return (installed.sa_flags & SA_RESTART) != 0;
}

TEST_F(PassOnTest, CallsGoOnOnlyWhereTheProgramsHandlerSaysSo) {
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  EXPECT_TRUE(RestartsCalls()) << "nobody would expect an interruption";
  for (const int flags : {0, SA_RESTART}) {
    const struct sigaction action = Action(flags);
    ASSERT_TRUE(SetProgramAction(SIGURG, &action, nullptr));
    EXPECT_EQ(RestartsCalls(), flags != 0);
    const ScopedAction program(SIGURG, action);
    ASSERT_EQ(InstallHandler(SIGURG), 0);
    EXPECT_EQ(RestartsCalls(), flags != 0) << "installed later";
  }
}

TEST_F(PassOnTest, HandlerForOneSignalRunsOnce) {
  const ScopedAction program(SIGURG, Action(SA_RESETHAND));
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  raise(SIGURG);
  raise(SIGURG);
  EXPECT_EQ(g_seen.count, 1);
  struct sigaction now;
  ASSERT_TRUE(SetProgramAction(SIGURG, nullptr, &now));
  EXPECT_EQ(now.sa_handler, SIG_DFL);
  const struct sigaction again = Action(SA_RESETHAND);
  ASSERT_TRUE(SetProgramAction(SIGURG, &again, nullptr));
  raise(SIGURG);
  raise(SIGURG);
  EXPECT_EQ(g_seen.count, 2);
}

TEST_F(PassOnTest, ProgramsActionIsSetBesideOurs) {
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  const struct sigaction action = Action(SA_SIGINFO, {SIGUSR1, SIGKILL});
  struct sigaction before;
  ASSERT_TRUE(SetProgramAction(SIGURG, &action, &before));
  EXPECT_EQ(before.sa_handler, SIG_DFL);
  EXPECT_TRUE(HandlerIsOurs(SIGURG));
  raise(SIGURG);
  EXPECT_EQ(g_seen.count, 1);
  EXPECT_TRUE(Blocked(SIGUSR1));
  struct sigaction now;
  ASSERT_TRUE(SetProgramAction(SIGURG, nullptr, &now));
  EXPECT_EQ(now.sa_sigaction, WithInfo);
  EXPECT_EQ(now.sa_flags & SA_SIGINFO, SA_SIGINFO);
  EXPECT_EQ(sigismember(&now.sa_mask, SIGKILL), 0) << "never blocked";
  struct sigaction ignored = Action(SA_SIGINFO);
  ignored.sa_handler = SIG_IGN;
  ASSERT_TRUE(SetProgramAction(SIGURG, &ignored, nullptr));
  raise(SIGURG);
  EXPECT_EQ(g_seen.count, 1);
}

TEST_F(PassOnTest, WhereOursIsNotInstalledNothingIsSet) {
  const ScopedAction program(SIGURG, Action(0));
  const struct sigaction action = Action(0);
  struct sigaction before;
  EXPECT_FALSE(SetProgramAction(SIGURG, &action, &before));
  EXPECT_FALSE(SetProgramAction(1000, &action, &before));
}

// A later profiler of the process may use another signal; the handler of the
// first one stays.
TEST_F(PassOnTest, EachSignalGoesToItsOwnHandler) {
  const ScopedAction urgent(SIGURG, Action(0));
  ASSERT_EQ(InstallHandler(SIGURG), 0);
  static int children = 0;
  struct sigaction reaper = {};
  reaper.sa_handler = [](int) { ++children; };
  const ScopedAction child(SIGCHLD, reaper);
  ASSERT_EQ(InstallHandler(SIGCHLD), 0);
  raise(SIGCHLD);
  EXPECT_EQ(children, 1);
  EXPECT_EQ(g_seen.count, 0);
  raise(SIGURG);
  EXPECT_EQ(children, 1);
  EXPECT_EQ(g_seen.count, 1);
}

}  // namespace
}  // namespace wallprof::capture
