// From a running thread to its lines: what a program finds in the profile that
// it takes of itself. This file is compiled with debug information.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "tests/symbolize/loaded_profile.h"
#include "wallprof/formats.h"
#include "wallprof/profiler.h"

namespace busy {

std::atomic<bool> g_stop{false};
std::atomic<uint64_t> g_sum{0};

constexpr int kFirstLine = __LINE__ + 1;
__attribute__((always_inline)) inline void Step() {
  for (int i = 0; i < 1000; ++i) g_sum += i;
}

__attribute__((noinline)) void Work() {
  while (!g_stop) Step();
}
constexpr int kLastLine = __LINE__ - 1;

}  // namespace busy

namespace wallprof {
namespace {

const Function* FunctionOf(const Profile& profile, const Line& line) {
  for (const Function& function : profile.functions) {
    if (function.id == line.function_id) return &function;
  }
  return nullptr;
}

TEST(CollectedLinesTest, ABusyFunctionHasItsLines) {
  auto profiler = Profiler::Start();
  ASSERT_TRUE(profiler.ok()) << profiler.status();
  std::thread thread(busy::Work);
  const auto profile = (*profiler)->Collect(absl::Milliseconds(500));
  busy::g_stop = true;
  thread.join();
  ASSERT_TRUE(profile.ok()) << profile.status();

  bool found = false;
  for (const Location& location : profile->locations) {
    if (location.lines.empty()) continue;
    const Function* function = FunctionOf(*profile, location.lines.back());
    ASSERT_NE(function, nullptr);
    if (function->name != "busy::Work()") continue;
    found = true;
    EXPECT_EQ(function->system_name, "_ZN4busy4WorkEv");
    EXPECT_EQ(std::filesystem::path(function->filename).filename(),
              "collected_lines_test.cc");
    EXPECT_GT(function->start_line, busy::kFirstLine);
    for (const Line& line : location.lines) {
      // The atomic's own functions are in a header.
      if (FunctionOf(*profile, line)->filename != function->filename) continue;
      EXPECT_GE(line.line, busy::kFirstLine);
      EXPECT_LE(line.line, busy::kLastLine);
    }
    const Mapping& mapping = profile->mappings.at(location.mapping_id - 1);
    EXPECT_TRUE(mapping.has_functions);
    EXPECT_TRUE(mapping.has_filenames);
    EXPECT_TRUE(mapping.has_line_numbers);
    EXPECT_TRUE(mapping.has_inline_frames);
  }
  EXPECT_TRUE(found);
  EXPECT_TRUE(CheckValid(*profile).ok());

  FoldedOptions options;
  options.lines = true;
  EXPECT_NE(EncodeFolded(*profile, options)
                .find("busy::Work() (collected_lines_test.cc:"),
            std::string::npos);
}

TEST(CollectedLinesTest, WhoCannotWaitForLinesHasNamesAndTheNextHasBoth) {
  auto profiler = Profiler::Start();
  ASSERT_TRUE(profiler.ok()) << profiler.status();
  busy::g_stop = false;
  std::thread thread(busy::Work);
  CollectOptions how;
  std::atomic<bool> enough{false};
  how.enough = [&enough] { return enough.load(); };
  std::thread hurrying([&enough] {
    usleep(300'000);
    enough = true;
  });
  const auto hurried = (*profiler)->Collect(absl::Hours(1), how);
  hurrying.join();
  const auto whole = (*profiler)->Collect(absl::Milliseconds(300));
  busy::g_stop = true;
  thread.join();
  ASSERT_TRUE(hurried.ok() && whole.ok());
  const std::string named = EncodeFolded(*hurried);
  EXPECT_NE(named.find("busy::Work()"), std::string::npos) << named;
  FoldedOptions lines;
  lines.lines = true;
  EXPECT_EQ(EncodeFolded(*hurried, lines).find("(collected_lines_test.cc:"),
            std::string::npos);
  EXPECT_NE(EncodeFolded(*whole, lines).find("(collected_lines_test.cc:"),
            std::string::npos);
}

// A program that was upgraded goes on running as the old one.
TEST(CollectedLinesTest, AProgramThatWasDeletedKeepsItsLines) {
  const symbolize::TemporaryDirectory directory;
  const std::string copy = directory.path() + "/program";
  std::filesystem::copy_file(symbolize::ThisProgram(), copy);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    setenv("DELETE_THIS_PROGRAM", copy.c_str(), 1);
    execl(copy.c_str(), copy.c_str(), "--gtest_filter=*ABusyFunction*",
          static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Before main, so that the profiler never sees the file.
const bool g_deleted = [] {
  const char* path = getenv("DELETE_THIS_PROGRAM");
  return path != nullptr && unlink(path) == 0;
}();

}  // namespace
}  // namespace wallprof
