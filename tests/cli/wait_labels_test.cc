// Labels of a real profile, as pprof and our own verbs filter by them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <regex>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/encode/shell.h"
#include "wallprof/formats.h"
#include "wallprof/labels.h"
#include "wallprof/profiler.h"

namespace wallprof::cli {
namespace {

using testing::HasSubstr;

// Two requests under labels, one waiting for a lock, one for a pipe: each all
// of the time that is measured.
class WaitLabelsTest : public testing::Test {
 protected:
  WaitLabelsTest() {
    mutex_.lock();
    EXPECT_EQ(pipe(ends_), 0);
    std::atomic<int> started{0};
    std::thread search([&] {
      ScopedLabel tenant("tenant", "one");
      ScopedLabel endpoint("endpoint", "/search");
      ++started;
      std::lock_guard lock(mutex_);
    });
    std::thread index([&] {
      ScopedLabel endpoint("endpoint", "/index");
      ++started;
      char byte;
      EXPECT_EQ(read(ends_[0], &byte, 1), 1);
    });
    auto profiler = Profiler::Start().value();
    while (started < 2) usleep(1000);
    usleep(50'000);
    CollectOptions how;
    how.detail = true;
    profile_ = profiler->Collect(absl::Milliseconds(500), how).value();
    mutex_.unlock();
    EXPECT_EQ(write(ends_[1], "x", 1), 1);
    search.join();
    index.join();
    EXPECT_EQ(WriteFile(profile_, folder_.PathOf("p.pb.gz")), absl::OkStatus());
  }
  ~WaitLabelsTest() override {
    close(ends_[0]);
    close(ends_[1]);
  }

  ShellResult Run(const std::string& command) {
    return RunShell("cd " + folder_.PathOf("") +
                    " && HOME=$PWD PPROF_NO_BROWSER=1 " + command);
  }

  // Milliseconds of the window that a filter leaves, by `go tool pprof`.
  double ByGo(const std::string& filter) {
    const ShellResult result =
        Run("go tool pprof -symbolize=none -top -unit=ms -tagfocus='" + filter +
            "' p.pb.gz");
    EXPECT_EQ(result.exit_status, 0) << result.output;
    static const std::regex kShown("Showing nodes accounting for ([0-9.]+)ms");
    std::smatch found;
    if (!std::regex_search(result.output, found, kShown)) return 0;
    return std::stod(found[1]);
  }

  // The same of our own.
  double ByOurs(const std::string& filter) {
    const ShellResult result = Run(
        absl::StrCat(WALLPROF " convert --tagfocus '", filter, "' p.pb.gz -"));
    EXPECT_EQ(result.exit_status, 0) << result.output;
    double microseconds = 0;
    for (absl::string_view line : absl::StrSplit(result.output, '\n')) {
      double weight = 0;
      const size_t space = line.rfind(' ');
      if (space != absl::string_view::npos &&
          absl::SimpleAtod(line.substr(space + 1), &weight)) {
        microseconds += weight;
      }
    }
    return microseconds / 1000;
  }

  Profile profile_;

 private:
  std::mutex mutex_;
  int ends_[2] = {-1, -1};
  TemporaryFolder folder_;
};

TEST_F(WaitLabelsTest, TagfocusFindsTheTimeOfEachLabel) {
  const double window = absl::ToDoubleMilliseconds(profile_.duration);
  for (const char* filter :
       {"endpoint=/search", "endpoint=/index", "tenant=one", "wait_kind=lock",
        "wait_kind=pipe", "wait_object=^pipe:", "wait_object=^0x"}) {
    EXPECT_NEAR(ByOurs(filter), window, window * 0.02) << filter;
    EXPECT_NEAR(ByGo(filter), window, window * 0.02) << filter;
  }
  EXPECT_NEAR(ByOurs("endpoint=/"), 2 * window, window * 0.02);
  EXPECT_EQ(ByOurs("wait_kind=socket"), 0);
  EXPECT_EQ(ByGo("wait_kind=socket"), 0);
}

TEST_F(WaitLabelsTest, TopShowsWhatIsWaitedFor) {
  const ShellResult result =
      Run(WALLPROF " top --detail --tagfocus endpoint=/index p.pb.gz");
  EXPECT_EQ(result.exit_status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("  [pipe pipe:["));
  EXPECT_THAT(Run(WALLPROF " top --tagfocus endpoint=/index p.pb.gz").output,
              testing::Not(HasSubstr("[pipe")));
}

}  // namespace
}  // namespace wallprof::cli
