// Slices on disk: what was written is read again, whatever befell the files.
#include "profiler/record/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "profiler/record/window.h"
#include "profiler/threads/syscall_name.h"
#include "tests/record/simulated_program.h"
#include "wallprof/formats.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace wallprof::record {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string ReadBytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class SpoolTest : public ::testing::Test {
 protected:
  SpoolTest() {
    std::string name = ::testing::TempDir() + "spoolXXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~SpoolTest() override { fs::remove_all(directory_); }

  // Slices with threads, labels and, in each, some stacks of before and some
  // new ones.
  void Record(int slices, int64_t max_bytes = 1 << 30,
              uint32_t new_stacks = 5) {
    Recorder recorder(
        {16 << 20, directory_, max_bytes},
        [](uint32_t) {
          return LabelTexts{{"endpoint", "/search"}};
        },
        program_.clocks());
    RecordWith(recorder, slices, new_stacks);
    in_memory_ = Folded(recorder.Past({}).value());
  }

  void RecordWith(Recorder& recorder, int slices, uint32_t new_stacks) {
    for (int slice = 0; slice < slices; ++slice) {
      for (uint32_t i = 0; i < 10 + new_stacks; ++i) {
        program_.Add(i < 10 ? i : stack_++, i % 4, {i + 1, 0, (i + 1) * 1000},
                     i % 2);
      }
      program_.AddWait(1, 2, 3, {1, 0, 4000});
      program_.EndSlice(recorder);
      recorder.Write();
    }
  }

  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  static std::string Folded(const Profile& profile) {
    FoldedOptions options;
    options.threads = true;
    return EncodeFolded(profile, options);
  }

  static Profile ProfileOfFile(const SpoolFile& file) {
    std::vector<const Slice*> slices;
    for (const Slice& slice : file.slices) slices.push_back(&slice);
    Profile profile =
        ProfileOf(file.dictionary, slices, file.events, threads::SyscallName);
    EXPECT_EQ(CheckValid(profile), absl::OkStatus());
    return profile;
  }

  std::string directory_;
  SimulatedProgram program_;
  uint32_t stack_ = 100;
  std::string in_memory_;
  std::vector<std::string> problems_;
};

TEST_F(SpoolTest, WhatWasWrittenIsRead) {
  Record(20);
  ASSERT_THAT(Files(), SizeIs(1));
  EXPECT_EQ(fs::status(Files()[0]).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  const auto files = ReadSpool(directory_, problems_);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_THAT(problems_, IsEmpty());
  ASSERT_THAT(*files, SizeIs(1));
  EXPECT_THAT((*files)[0]->slices, SizeIs(20));
  EXPECT_EQ(Folded(ProfileOfFile(*(*files)[0])), in_memory_);
}

TEST(SpoolCorpusTest, EveryFilePasses) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(CORPUS)) {
    SCOPED_TRACE(entry.path());
    const std::string bytes = ReadBytes(entry.path());
    EXPECT_EQ(LLVMFuzzerTestOneInput(
                  reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
              0);
    ++files;
  }
  EXPECT_GT(files, 0);
}

TEST_F(SpoolTest, ADirectoryWithoutFilesIsNotFound) {
  EXPECT_EQ(ReadSpool(directory_, problems_).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadSpool(directory_ + "/none", problems_).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(SpoolTest, ATornTailCostsOneSlice) {
  Record(3);
  const std::string whole = ReadBytes(Files()[0]);
  const size_t last = whole.rfind("wPr1");
  for (size_t size = last; size < whole.size(); ++size) {
    problems_.clear();
    const auto file = DecodeSpool(whole.substr(0, size), "a.spool", problems_);
    ASSERT_THAT(file->slices, SizeIs(2)) << size;
    if (size == last) {
      EXPECT_THAT(problems_, IsEmpty());
    } else {
      EXPECT_THAT(problems_,
                  ElementsAre("a.spool: " + std::to_string(size - last) +
                              " bytes at offset " + std::to_string(last) +
                              " are a torn record; left out"));
    }
  }
}

TEST_F(SpoolTest, ACorruptRecordCostsItselfAndNamesOfLaterOnes) {
  Record(5);
  const std::string whole = ReadBytes(Files()[0]);
  const size_t second = whole.find("wPr1", 1);
  const size_t third = whole.find("wPr1", second + 1);
  for (size_t at = second; at < third; ++at) {
    std::string corrupt = whole;
    corrupt[at] = static_cast<char>(corrupt[at] ^ 0x10);
    problems_.clear();
    const auto file = DecodeSpool(corrupt, "a.spool", problems_);
    ASSERT_THAT(file->slices, SizeIs(4)) << at;
    ASSERT_THAT(problems_,
                ElementsAre("a.spool: " + std::to_string(third - second) +
                            " bytes at offset " + std::to_string(second) +
                            " are corrupt; left out"));
    const stacks::Counts total = TotalOf(ProfileOfFile(*file));
    ASSERT_EQ(total.samples, 4 * 120);
    ASSERT_EQ(total.wall_ns, 4 * 120'000);
  }
}

TEST_F(SpoolTest, OldFilesGoWhenThereIsNoMoreRoom) {
  constexpr int64_t kMaxBytes = 20'000;
  Record(80, kMaxBytes, 20);
  int64_t bytes = 0;
  for (const fs::path& path : Files()) {
    bytes += static_cast<int64_t>(fs::file_size(path));
  }
  EXPECT_GT(Files().size(), 3u);
  EXPECT_LE(bytes, kMaxBytes * 11 / 10) << "but for the last record";
  const auto files = ReadSpool(directory_, problems_);
  ASSERT_TRUE(files.ok());
  EXPECT_THAT(problems_, IsEmpty());
  int64_t end = 0;
  for (const auto& file : *files) {
    ASSERT_FALSE(file->slices.empty());
    if (end != 0) {
      EXPECT_EQ(file->slices.front().start_ns, end) << "they meet";
    }
    end = file->slices.back().end_ns;
    EXPECT_EQ(EncodeFolded(ProfileOfFile(*file)).find("[unseen]"),
              std::string::npos)
        << "each can be read alone";
  }
  EXPECT_EQ(end, program_.now.monotonic_ns);
}

// A limit on the size of files is as good as a full disk, and can be lifted.
TEST_F(SpoolTest, AFullDiskLosesSlicesOnDiskOnly) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  Recorder recorder(
      {16 << 20, directory_, 1 << 30}, [](uint32_t) { return LabelTexts(); },
      program_.clocks());
  RecordWith(recorder, 3, 5);
  rlimit full = before;
  full.rlim_cur = fs::file_size(Files()[0]) + 10;
  setrlimit(RLIMIT_FSIZE, &full);
  RecordWith(recorder, 4, 5);
  const Recorded meanwhile = recorder.Describe();
  setrlimit(RLIMIT_FSIZE, &before);
  RecordWith(recorder, 2, 5);
  const Recorded recorded = recorder.Describe();

  EXPECT_EQ(meanwhile.slices_written, 3);
  EXPECT_EQ(meanwhile.slices_lost, 4);
  EXPECT_THAT(meanwhile.last_error, HasSubstr("File too large"));
  EXPECT_THAT(meanwhile.slices, SizeIs(7)) << "in memory all are there";
  EXPECT_EQ(recorded.slices_written, 5);
  EXPECT_EQ(recorded.last_error, "");
  ASSERT_THAT(recorded.events, SizeIs(1));
  EXPECT_EQ(recorded.events[0].kind, "not written");
  const auto files = ReadSpool(directory_, problems_);
  ASSERT_TRUE(files.ok());
  EXPECT_THAT(problems_, IsEmpty());
  ASSERT_THAT(*files, SizeIs(1));
  EXPECT_THAT((*files)[0]->slices, SizeIs(5));
  EXPECT_THAT((*files)[0]->events, SizeIs(1));
  EXPECT_EQ(Folded(ProfileOfFile(*(*files)[0])).find("[unseen]"),
            std::string::npos)
      << "names wait for the next record";
}

TEST_F(SpoolTest, ADirectoryThatCannotBeMadeIsToldOnce) {
  const std::string file = directory_ + "/file";
  std::ofstream(file) << "x";
  Recorder recorder({16 << 20, file + "/below", 1 << 30}, nullptr,
                    program_.clocks());
  for (int i = 0; i < 3; ++i) {
    program_.Add(1, 0, {1, 0, 1000});
    program_.EndSlice(recorder);
    recorder.Write();
  }
  const Recorded recorded = recorder.Describe();
  EXPECT_EQ(recorded.slices_lost, 3);
  EXPECT_THAT(recorded.last_error, HasSubstr("below"));
  EXPECT_THAT(recorded.events, SizeIs(1));
}

}  // namespace
}  // namespace wallprof::record
