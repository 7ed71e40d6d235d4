// Bundles on disk: whole or not there, and no more of them than asked for.
#include "fleet/bundle/bundle_files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/bundle/identity.h"
#include "fleet/bundle/schedule_loop.h"
#include "fleet/bundle/write.h"
#include "tests/fleet/bundle/checked_entries.h"
#include "tests/fleet/bundle/fake_source.h"

namespace wallprof::bundle {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr char kProcess[] = "1-00000000-000000000000000000000000-1";

class BundleFilesTest : public ::testing::Test {
 protected:
  BundleFilesTest() {
    // In memory, where a day of syncs takes no time, if there is such a place.
    const bool has_memory = access("/dev/shm", W_OK | X_OK) == 0;
    std::string name =
        absl::StrCat(has_memory ? "/dev/shm" : "/tmp", "/bundle_files_XXXXXX");
    directory_ = mkdtemp(name.data());
  }
  ~BundleFilesTest() override { fs::remove_all(directory_); }

  BundleFiles Files(absl::Duration keep_for = absl::Hours(1),
                    int64_t keep_bytes = 1 << 20) {
    return BundleFiles(directory_, {keep_for, keep_bytes},
                       [this] { return now_; });
  }

  static std::string KeyAt(absl::Time time, const std::string& program = "p",
                           const std::string& host = "h") {
    BundleIdentity identity;
    identity.program = program;
    identity.host = host;
    identity.process = kProcess;
    return BundleKey(identity, time);
  }

  static std::function<absl::Status(const BundleSink&)> Bytes(size_t size) {
    return
        [size](const BundleSink& sink) { return sink(std::string(size, 'x')); };
  }

  // All files below the directory, relative to it.
  std::vector<std::string> Listing() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory_)) {
      if (!entry.is_directory()) {
        files.push_back(fs::relative(entry.path(), directory_));
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  std::string Make(const std::string& path, absl::Duration age) const {
    const fs::path full = fs::path(directory_) / path;
    fs::create_directories(full.parent_path());
    std::ofstream(full) << "something";
    const timespec time = absl::ToTimespec(absl::Now() - age);
    const timespec times[2] = {time, time};
    utimensat(AT_FDCWD, full.c_str(), times, 0);
    return full;
  }

  std::string directory_;
  absl::Time now_ = absl::FromUnixSeconds(1767323045);
};

TEST_F(BundleFilesTest, KeepsUnderTheKey) {
  BundleFiles files = Files();
  ASSERT_EQ(files.Put(KeyAt(now_), Bytes(10)), absl::OkStatus());
  EXPECT_THAT(Listing(), ElementsAre(KeyAt(now_)));
  struct stat status;
  ASSERT_EQ(stat((directory_ + "/" + KeyAt(now_)).c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 10);
  EXPECT_EQ(status.st_mode & 0777, 0600u) << "it is not for others";
}

TEST_F(BundleFilesTest, UnderItsNameAFileIsWhole) {
  BundleFiles files = Files();
  const absl::Status put =
      files.Put(KeyAt(now_), [this](const BundleSink& sink) {
        EXPECT_EQ(sink("half"), absl::OkStatus());
        EXPECT_THAT(Listing(), ElementsAre(HasSubstr("/.wallprof-")));
        return sink("half");
      });
  EXPECT_EQ(put, absl::OkStatus());
  EXPECT_THAT(Listing(), ElementsAre(KeyAt(now_)));
}

TEST_F(BundleFilesTest, WhatFailsLeavesNothing) {
  BundleFiles files = Files();
  const absl::Status put =
      files.Put(KeyAt(now_), [](const BundleSink& sink) -> absl::Status {
        if (absl::Status s = sink("half"); !s.ok()) return s;
        return absl::AbortedError("no more");
      });
  EXPECT_EQ(put, absl::AbortedError("no more"));
  EXPECT_THAT(Listing(), IsEmpty());
  EXPECT_EQ(files.Put(KeyAt(now_), Bytes(1)), absl::OkStatus()) << "next time";
}

TEST_F(BundleFilesTest, AFullDiskLeavesNothingTorn) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit little = {1000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
  BundleFiles files = Files();
  const absl::Status put = files.Put(KeyAt(now_), Bytes(1500));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, SIG_DFL);
  EXPECT_THAT(std::string(put.message()), HasSubstr("cannot write"));
  EXPECT_THAT(Listing(), IsEmpty());
  EXPECT_EQ(files.Put(KeyAt(now_), Bytes(1500)), absl::OkStatus());
}

TEST_F(BundleFilesTest, ADirectoryThatVanishesIsMadeAgain) {
  BundleFiles files = Files();
  ASSERT_EQ(files.Prepare(), absl::OkStatus());
  fs::remove_all(directory_);
  EXPECT_EQ(files.Put(KeyAt(now_), Bytes(1)), absl::OkStatus());
  fs::remove_all(directory_);
  std::ofstream(directory_) << "in the way";
  EXPECT_THAT(std::string(files.Put(KeyAt(now_), Bytes(1)).message()),
              HasSubstr("cannot make"));
  EXPECT_THAT(std::string(files.Prepare().message()), HasSubstr("Not a dir"));
}

TEST_F(BundleFilesTest, ByAge) {
  BundleFiles files = Files(absl::Minutes(10));
  const absl::Time start = now_;
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(files.Put(KeyAt(now_), Bytes(10)), absl::OkStatus());
    now_ += absl::Minutes(1);
  }
  EXPECT_EQ(Listing().size(), 11u);
  EXPECT_EQ(Listing().front(), KeyAt(start + absl::Minutes(19)));
  EXPECT_EQ(files.removed(), 19);
}

TEST_F(BundleFilesTest, BySize) {
  BundleFiles files = Files(absl::Hours(100), 1000);
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(files.Put(KeyAt(now_), Bytes(300)), absl::OkStatus());
    now_ += absl::Minutes(1);
  }
  EXPECT_EQ(Listing().size(), 3u);
  EXPECT_EQ(Listing().back(), KeyAt(now_ - absl::Minutes(1)));
  ASSERT_EQ(files.Put(KeyAt(now_), Bytes(5000)), absl::OkStatus());
  EXPECT_THAT(Listing(), ElementsAre(KeyAt(now_)))
      << "the newest stays, whatever its size";
}

TEST_F(BundleFilesTest, OfThisProgramOnAllHosts) {
  BundleFiles files = Files(absl::Minutes(10));
  for (const char* host : {"gone", "h"}) {
    for (const char* program : {"other", "p"}) {
      ASSERT_EQ(Files().Put(KeyAt(now_, program, host), Bytes(1)),
                absl::OkStatus());
    }
  }
  const absl::Time old = now_;
  now_ += absl::Hours(2);
  ASSERT_EQ(files.Put(KeyAt(now_), Bytes(1)), absl::OkStatus());
  EXPECT_THAT(Listing(),
              UnorderedElementsAre(KeyAt(old, "other", "gone"),
                                   KeyAt(old, "other", "h"), KeyAt(now_)));
  EXPECT_FALSE(fs::exists(directory_ + "/p/gone")) << "it had become empty";
}

TEST_F(BundleFilesTest, NothingElseIsEverRemoved) {
  const std::string of_process = absl::StrCat("p/h/", kProcess, "/");
  const std::vector<std::string> others = {
      "p/notes.zip",
      "p/h/2020-01-02T03:04:05.678Z.zip",
      "p/h/other/2020-01-02T03:04:05.678Z.zip",
      of_process + "notes.zip",
      of_process + "2020-01-02T03:04:05.678Z.zip.bak",
      of_process + "2020-13-02T03:04:05.678Z.zip",
      of_process + "sub/2020-01-02T03:04:05.678Z.zip",
      of_process + "x.tmp"};
  for (const std::string& other : others) Make(other, absl::Hours(1000));
  const std::string outside = Make("outside/kept", absl::Hours(1000));
  fs::create_symlink(
      outside, directory_ + "/" + of_process + "2020-01-02T03:04:05.678Z.zip");
  fs::create_directory_symlink(directory_ + "/outside",
                               directory_ + "/p/h/" + MakeProcessId(now_, 3));
  BundleFiles files = Files(absl::Minutes(10), 1);
  ASSERT_EQ(files.Put(KeyAt(now_), Bytes(1)), absl::OkStatus());
  for (const std::string& other : others) {
    EXPECT_TRUE(fs::exists(directory_ + "/" + other)) << other;
  }
  EXPECT_TRUE(fs::exists(outside));
  EXPECT_EQ(files.removed(), 0);
}

TEST_F(BundleFilesTest, WhatDeadWritersLeftIsRemoved) {
  const std::string folder = absl::StrCat("p/h/", kProcess, "/");
  const std::string dead = Make(folder + ".wallprof-1-1.tmp", absl::Hours(1));
  const std::string fresh =
      Make(folder + ".wallprof-1-2.tmp", absl::ZeroDuration());
  const std::string alive = Make(folder + ".wallprof-1-3.tmp", absl::Hours(1));
  const int writer = open(alive.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(flock(writer, LOCK_EX), 0);
  BundleFiles files = Files();
  ASSERT_EQ(files.Put(KeyAt(now_), Bytes(1)), absl::OkStatus());
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_TRUE(fs::exists(alive));
  close(writer);
  ASSERT_EQ(files.Put(KeyAt(now_ + absl::Minutes(1)), Bytes(1)),
            absl::OkStatus());
  EXPECT_FALSE(fs::exists(alive));
}

// A day of it, in no time.
class SimulatedDayTest : public BundleFilesTest {
 protected:
  struct Taken {
    absl::Time begin;
    absl::Time end;
    bool measured;
  };

  // Runs the schedule for `length` of simulated time, with a profile that takes
  // as long as asked for; bundles are real, and kept in the directory.
  std::vector<Taken> Run(absl::Duration length, BundleFiles& files) {
    const absl::Time end = now_ + length;
    std::vector<Taken> taken;
    FakeSource source;
    source.on_collect = [this](absl::Duration time) { now_ += time; };
    uint32_t state = 1;
    RunSchedule(
        options_,
        {[&](absl::Duration time) {
           EXPECT_GE(time, absl::ZeroDuration());
           now_ += time;
           return now_ < end;
         },
         [&state] {
           state = state * 1664525 + 1013904223;
           return state / 4294967296.0;
         },
         [&](bool measured) {
           const absl::Time begin = now_;
           BundleOptions bundle = options_.bundle;
           if (!measured) bundle.profile = absl::ZeroDuration();
           bundle.identity.program = "p";
           const absl::Status put = files.Put(
               BundleKey(bundle.identity, begin), [&](const BundleSink& sink) {
                 return WriteBundleAt(source, bundle, begin, sink).status();
               });
           EXPECT_EQ(put, absl::OkStatus());
           taken.push_back({begin, now_, measured});
         }});
    return taken;
  }

  std::string ReadFile(const std::string& path) const {
    std::ifstream file(directory_ + "/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  BundleScheduleOptions options_;
};

TEST_F(SimulatedDayTest, IntervalsAndJitter) {
  BundleFiles files = Files(absl::Hours(2));
  const absl::Time start = now_;
  const std::vector<Taken> taken = Run(absl::Hours(24), files);
  // (120 s less 12 s on average, and 5 s of measuring) go 765 times in a day.
  EXPECT_GE(taken.size(), 750u);
  EXPECT_LE(taken.size(), 780u);
  EXPECT_EQ(taken.front().begin, start + absl::Seconds(1));
  EXPECT_FALSE(taken.front().measured);
  EXPECT_FALSE(taken.back().measured);
  absl::Duration shortest = absl::InfiniteDuration();
  absl::Duration longest;
  for (size_t i = 1; i + 1 < taken.size(); ++i) {
    EXPECT_TRUE(taken[i].measured);
    EXPECT_EQ(taken[i].end - taken[i].begin, absl::Seconds(5));
    const absl::Duration gap = taken[i].begin - taken[i - 1].end;
    shortest = std::min(shortest, gap);
    longest = std::max(longest, gap);
  }
  EXPECT_GT(shortest, absl::Seconds(96));
  EXPECT_LT(shortest, absl::Seconds(97));
  EXPECT_LE(longest, absl::Seconds(120));
  EXPECT_GT(longest, absl::Seconds(119));

  // Those of the last two hours are there, and readable.
  const std::vector<std::string> left = Listing();
  EXPECT_EQ(left.size() + static_cast<size_t>(files.removed()), taken.size());
  EXPECT_GE(left.size(), 60u);
  EXPECT_LE(left.size(), 70u);
  for (const std::string& file : left) {
    EXPECT_EQ(NamesOf(ReadZip(ReadFile(file)))[0], "meta");
  }
}

TEST_F(SimulatedDayTest, SizeOnDisk) {
  constexpr int64_t kBound = 100'000;
  BundleFiles files = Files(absl::Hours(1000), kBound);
  const std::vector<Taken> taken = Run(absl::Hours(6), files);
  int64_t total = 0;
  for (const std::string& file : Listing()) total += ReadFile(file).size();
  EXPECT_LE(total, kBound);
  EXPECT_GT(total, kBound / 2);
  EXPECT_EQ(Listing().size() + files.removed(), taken.size());
}

TEST_F(SimulatedDayTest, AShortLifeHasTheFirstAndTheLast) {
  BundleFiles files = Files();
  EXPECT_EQ(Run(absl::Milliseconds(500), files).size(), 1u);
  EXPECT_EQ(Run(absl::Seconds(10), files).size(), 2u);
  options_.final_bundle = false;
  EXPECT_EQ(Run(absl::Milliseconds(500), files).size(), 0u);
}

TEST_F(SimulatedDayTest, AllOfItCanBeSet) {
  options_.first_after = absl::Seconds(30);
  options_.interval = absl::Seconds(10);
  options_.jitter = absl::ZeroDuration();
  options_.bundle.profile = absl::ZeroDuration();
  BundleFiles files = Files();
  const absl::Time start = now_;
  const std::vector<Taken> taken = Run(absl::Seconds(75), files);
  ASSERT_EQ(taken.size(), 6u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(taken[i].begin, start + absl::Seconds(30 + 10 * i));
  }
}

}  // namespace
}  // namespace wallprof::bundle
