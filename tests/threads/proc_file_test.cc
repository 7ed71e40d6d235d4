#include "profiler/threads/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "profiler/threads/task_directory.h"

namespace wallprof::threads {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using Kind = SyscallState::Kind;

// --- /proc/PID/task/TID/syscall ----------------------------------------------

TEST(ParseSyscallTest, RunningThread) {
  const auto state = ParseSyscall("running\n");
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->kind, Kind::kRunning);
}

TEST(ParseSyscallTest, ThreadInSystemCall) {
  const auto state = ParseSyscall(
      "7 0x7ffc0 0x1 0xffffffffffffffff 0x8 0x0 0x5 0x7ffe1234abc8 "
      "0x7f00deadbeef\n");
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->kind, Kind::kInSyscall);
  EXPECT_EQ(state->number, 7);
  EXPECT_THAT(state->arguments, ElementsAre(0x7ffc0, 1, ~uint64_t{0}, 8, 0, 5));
  EXPECT_EQ(state->sp, 0x7ffe1234abc8u);
  EXPECT_EQ(state->pc, 0x7f00deadbeefu);
}

TEST(ParseSyscallTest, ThreadBlockedInAPageFaultHasNoArguments) {
  const auto state = ParseSyscall("-1 0x7ffe00000010 0x401000\n");
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->kind, Kind::kBlocked);
  EXPECT_EQ(state->sp, 0x7ffe00000010u);
  EXPECT_EQ(state->pc, 0x401000u);
  EXPECT_THAT(state->arguments, Each(0));
}

TEST(ParseSyscallTest, ZombieHasNeitherSpNorPc) {
  const auto state = ParseSyscall("-1 0x0 0x0\n");
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->sp, 0u);
  EXPECT_EQ(state->pc, 0u);
}

class BadSyscallTest : public ::testing::TestWithParam<std::string> {};
TEST_P(BadSyscallTest, IsRefused) {
  EXPECT_FALSE(ParseSyscall(GetParam()).has_value()) << GetParam();
}
INSTANTIATE_TEST_SUITE_P(
    All, BadSyscallTest,
    ::testing::Values("", " \n", "runnin", "running7", "x 0x0 0x0",
                      "99999999999 0x1 0x2", "-1", "-1 0x1", "-1 0x1 0xg",
                      "-1 0x 0x1", "-1 -1 0x1", "0 0x1 0x2 0x3 0x4 0x5 0x6",
                      "0 0x1 0x2 0x3 0x4 0x5 0x6 0x7",
                      "0 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x11223344556677889",
                      std::string("-1 0x1 0x2\0", 11)));

// --- schedstat ---------------------------------------------------------------

TEST(ParseSchedStatTest, ThreeNumbers) {
  const auto stat = ParseSchedStat("123456789 42 18446744073709551615\n");
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->run_ns, 123456789u);
  EXPECT_EQ(stat->delay_ns, 42u);
  EXPECT_EQ(stat->run_count, ~uint64_t{0});
}

TEST(ParseSchedStatTest, RefusesAnythingElse) {
  for (const char* text :
       {"", "1", "1 2", "1 2 x", "-1 2 3", "1 2 18446744073709551616"}) {
    EXPECT_FALSE(ParseSchedStat(text).has_value()) << text;
  }
}

// --- stat --------------------------------------------------------------------

// Fields 4 to 22 of a stat line: 18 that nobody reads, and the start time.
constexpr char kFields4To22[] =
    " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987654 20 21";

TEST(ParseTaskStatTest, NameStateAndStart) {
  const std::string text = std::string("4711 (demo) S") + kFields4To22 + "\n";
  const auto stat = ParseTaskStat(text);
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->name, "demo");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->start_ticks, 987654u);
}

TEST(ParseTaskStatTest, NamesThatLookLikeTheRestOfTheLine) {
  for (const char* name :
       {"", " ", ")", "(", "a) R 1 2", ") Z 0 0 0", "(((", ")))", "a b\tc"}) {
    const std::string text =
        std::string("1 (") + name + ") D" + kFields4To22 + "\n";
    const auto stat = ParseTaskStat(text);
    ASSERT_TRUE(stat.has_value()) << name;
    EXPECT_EQ(stat->name, name);
    EXPECT_EQ(stat->state, 'D');
    EXPECT_EQ(stat->start_ticks, 987654u);
  }
}

TEST(ParseTaskStatTest, RefusesWhatIsCutOrMixedUp) {
  for (const char* text :
       {"", "1", "1 (", "1 )(", "1 (demo", "1 (demo)", "1 (demo) ",
        "1 (demo) SS 1", "1 (demo) S", "1 (demo) S 1 2 3",
        "1 (demo) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x"}) {
    EXPECT_FALSE(ParseTaskStat(text).has_value()) << text;
  }
}

// --- status ------------------------------------------------------------------

TEST(ParseBlockedSignalsTest, MaskInHex) {
  const auto mask = ParseBlockedSignals(
      "Name:\tdemo\nSigPnd:\t00000000000000ff\nSigBlk:\t0000000000400001\n"
      "SigIgn:\t0000000000001000\n");
  ASSERT_TRUE(mask.has_value());
  EXPECT_EQ(*mask, 0x400001u);
}

TEST(ParseBlockedSignalsTest, NameThatLooksLikeTheLineIsNotIt) {
  // The kernel writes a newline in a name as "\n", two characters.
  const auto mask = ParseBlockedSignals(
      "Name:\tSigBlk:\\nSigBlk: 1\nState:\tS\nSigBlk:\t0000000000000002\n");
  ASSERT_TRUE(mask.has_value());
  EXPECT_EQ(*mask, 2u);
}

TEST(ParseBlockedSignalsTest, RefusesWhatHasNoMask) {
  for (const char* text :
       {"", "SigBlk:", "Name:\tx\n", "Name:\tx\nSigBlk:\t",
        "Name:\tx\nSigBlk:\tzz\n", "Name:\tx\nSigBlk:\t11112222333344445\n"}) {
    EXPECT_FALSE(ParseBlockedSignals(text).has_value()) << text;
  }
}

TEST(ParseVoluntarySwitchesTest, IsNotTheInvoluntaryOnes) {
  const auto switches = ParseVoluntarySwitches(
      "SigBlk:\t0000000000000002\nvoluntary_ctxt_switches:\t71\n"
      "nonvoluntary_ctxt_switches:\t9\n");
  ASSERT_TRUE(switches.has_value());
  EXPECT_EQ(*switches, 71u);
  EXPECT_FALSE(ParseVoluntarySwitches("a\nnonvoluntary_ctxt_switches:\t9\n"));
  EXPECT_FALSE(ParseVoluntarySwitches("a\nvoluntary_ctxt_switches:\tx\n"));
}

// No input makes a parser read outside it or hang: every prefix of a good line,
// and every such line with one byte replaced.
TEST(ProcParsersTest, SurviveDamagedInput) {
  const std::string stat = std::string("1 (a) S") + kFields4To22;
  for (const std::string& good : std::vector<std::string>{
           "0 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8", "1 2 3", stat,
           "a\nSigBlk:\t1f\n", "a\nvoluntary_ctxt_switches:\t7\n"}) {
    std::set<std::string> inputs;
    for (size_t i = 0; i <= good.size(); ++i) inputs.insert(good.substr(0, i));
    for (size_t i = 0; i < good.size(); ++i) {
      for (const char c : {'\0', ' ', '-', '(', ')', '\xff', 'x', '9'}) {
        inputs.insert(good.substr(0, i) + c + good.substr(i + 1));
      }
    }
    for (const std::string& input : inputs) {
      // On the heap and exactly as long, so that a sanitizer sees an overrun.
      const std::vector<char> exact(input.begin(), input.end());
      const std::string_view text(exact.data(), exact.size());
      ParseSyscall(text);
      ParseSchedStat(text);
      ParseTaskStat(text);
      ParseBlockedSignals(text);
      ParseVoluntarySwitches(text);
    }
  }
}

// --- files -------------------------------------------------------------------

TEST(FileDescriptorTest, ClosesWhatItOwns) {
  const int raw = memfd_create("test", MFD_CLOEXEC);
  {
    FileDescriptor owner(raw);
    FileDescriptor other = std::move(owner);
    EXPECT_FALSE(owner.valid());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(other.get(), raw);
    EXPECT_NE(fcntl(raw, F_GETFD), -1);
  }
  EXPECT_EQ(fcntl(raw, F_GETFD), -1);
}

TEST(FileDescriptorTest, AssignmentClosesWhatWasThere) {
  const int first = memfd_create("first", MFD_CLOEXEC);
  FileDescriptor owner(first);
  owner = FileDescriptor(memfd_create("second", MFD_CLOEXEC));
  EXPECT_EQ(fcntl(first, F_GETFD), -1);
  EXPECT_TRUE(owner.valid());
}

TEST(FileDescriptorTest, ReleasedIsNotClosed) {
  const int raw = memfd_create("test", MFD_CLOEXEC);
  EXPECT_EQ(FileDescriptor(raw).Release(), raw);
  EXPECT_NE(fcntl(raw, F_GETFD), -1);
  close(raw);
}

bool Read(ProcText& text, const char* path) {
  const FileDescriptor file(open(path, O_RDONLY | O_CLOEXEC));
  return file.valid() && text.ReadFrom(file.get());
}

TEST(ProcTextTest, ReadsTheThreadsOwnFiles) {
  ProcText text;
  ASSERT_TRUE(Read(text, "/proc/thread-self/syscall"));
  EXPECT_EQ(ParseSyscall(text.text()).value().number, SYS_pread64)
      << "what the thread is doing as it reads";
  ASSERT_TRUE(Read(text, "/proc/thread-self/schedstat"));
  EXPECT_TRUE(ParseSchedStat(text.text()).has_value());
  ASSERT_TRUE(Read(text, "/proc/thread-self/stat"));
  EXPECT_EQ(ParseTaskStat(text.text()).value().state, 'R');
  ASSERT_TRUE(Read(text, "/proc/thread-self/status"));
  EXPECT_TRUE(ParseBlockedSignals(text.text()).has_value());
  EXPECT_TRUE(ParseVoluntarySwitches(text.text()).has_value());
}

TEST(ProcTextTest, KeptDescriptorIsReadAnewEachTime) {
  const FileDescriptor file(memfd_create("test", MFD_CLOEXEC));
  ProcText text;
  ASSERT_EQ(pwrite(file.get(), "first", 5, 0), 5);
  ASSERT_TRUE(text.ReadFrom(file.get()));
  EXPECT_EQ(text.text(), "first");
  ASSERT_EQ(pwrite(file.get(), "other", 5, 0), 5);
  ASSERT_TRUE(text.ReadFrom(file.get()));
  EXPECT_EQ(text.text(), "other");
}

TEST(ProcTextTest, LongFilesAreCut) {
  const FileDescriptor file(memfd_create("test", MFD_CLOEXEC));
  const std::string long_text(ProcText::kMaxBytes + 100, 'x');
  ASSERT_EQ(write(file.get(), long_text.data(), long_text.size()),
            static_cast<ssize_t>(long_text.size()));
  ProcText text;
  ASSERT_TRUE(text.ReadFrom(file.get()));
  EXPECT_EQ(text.text().size(), ProcText::kMaxBytes);
}

TEST(ProcTextTest, MissingFileIsAnErrorAndLeavesNoOldText) {
  ProcText text;
  ASSERT_TRUE(Read(text, "/proc/thread-self/stat"));
  EXPECT_FALSE(Read(text, "/proc/self/task/1/stat"));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(text.ReadFrom(-1));
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(text.text(), "");
}

Tid OwnTidAndPath(std::string& path) {
  const Tid tid = static_cast<Tid>(syscall(SYS_gettid));
  path = "/proc/self/task/" + std::to_string(tid) + "/syscall";
  return tid;
}

TEST(ProcTextTest, DescriptorOfADeadThreadSaysEsrch) {
  int fd = -1;
  std::thread([&] {
    std::string path;
    OwnTidAndPath(path);
    fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  }).join();
  const FileDescriptor file(fd);
  ASSERT_TRUE(file.valid());
  ProcText text;
  // Joined, it may still be on its way out for a moment.
  for (int i = 0; i < 1000 && text.ReadFrom(fd); ++i) usleep(1000);
  EXPECT_FALSE(text.ReadFrom(fd));
  EXPECT_EQ(errno, ESRCH);
}

// The number is given to another thread: /proc/sys/kernel/ns_last_pid says
// what the next one is, for who may write it; and whether it was reused is
// told by the other thread itself.
TEST(ProcTextTest, DescriptorSaysEsrchEvenWhenTheNumberIsUsedAgain) {
  int fd = -1;
  Tid first = 0;
  std::thread([&] {
    std::string path;
    first = OwnTidAndPath(path);
    fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  }).join();
  const FileDescriptor file(fd);
  ProcText text;
  for (int i = 0; i < 1000 && text.ReadFrom(fd); ++i) usleep(1000);
  for (int attempt = 0; attempt < 100; ++attempt) {
    const FileDescriptor last(
        open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC));
    const std::string before = std::to_string(first - 1);
    if (!last.valid() || write(last.get(), before.data(), before.size()) < 0) {
      GTEST_SKIP() << "may not choose the next thread's number";
    }
    std::atomic<bool> reused{false}, done{false}, started{false};
    std::thread again([&] {
      std::string path;
      reused = OwnTidAndPath(path) == first;
      started = true;
      while (!done) usleep(100);
    });
    while (!started) usleep(100);
    const bool read = text.ReadFrom(fd);
    const int error = errno;
    done = true;
    again.join();
    if (!reused) continue;
    EXPECT_FALSE(read);
    EXPECT_EQ(error, ESRCH);
    return;
  }
  GTEST_SKIP() << "others took the number each time";
}

}  // namespace
}  // namespace wallprof::threads
