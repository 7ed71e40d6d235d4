#include "profiler/symbolize/jit_dump.h"

#include <elf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "profiler/symbolize/symbolizer.h"
#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

template <typename... Numbers>
std::string Bytes(Numbers... numbers) {
  std::string bytes;
  (bytes.append(reinterpret_cast<const char*>(&numbers), sizeof numbers), ...);
  return bytes;
}

// Writes a dump as a compiler does.
class Dump {
 public:
  explicit Dump(uint32_t pid = getpid(), uint32_t machine = EM_X86_64)
      : content_(Bytes(uint32_t{0x4a695444}, 1u, 40u, machine, 0u, pid,
                       uint64_t{0}, uint64_t{0})) {}

  Dump& Load(uint64_t begin, const std::string& name, size_t size = 0x100) {
    return Add(0, Bytes(0u, 0u, begin, begin, uint64_t{size}, uint64_t{1}) +
                      name + '\0' + std::string(size, '\x90'));
  }

  Dump& Move(uint64_t from, uint64_t to, uint64_t size = 0x100) {
    return Add(1, Bytes(0u, 0u, to, from, to, size, uint64_t{1}));
  }

  struct Line {
    uint64_t address;
    int32_t line;
    std::string file;
  };
  Dump& Lines(uint64_t begin, const std::vector<Line>& lines) {
    std::string body = Bytes(begin, uint64_t{lines.size()});
    for (const Line& line : lines) {
      body += Bytes(line.address, line.line, int32_t{0}) + line.file + '\0';
    }
    return Add(2, body);
  }

  Dump& Add(uint32_t kind, const std::string& body) {
    content_ +=
        Bytes(kind, static_cast<uint32_t>(16 + body.size()), uint64_t{0}) +
        body;
    return *this;
  }

  const std::string& content() const { return content_; }

 private:
  std::string content_;
};

class JitDumpTest : public ::testing::Test {
 protected:
  void Write(const std::string& content) const {
    // Some file systems wait for the disk where a file is written anew in
    // place.
    std::filesystem::remove(path_);
    std::ofstream(path_, std::ios::binary) << content;
  }

  std::string NameAt(uint64_t address) const {
    return ReadJitDump(path_, {address}).at(0).system_name;
  }

  const TemporaryDirectory directory_;
  const std::string path_ =
      absl::StrCat(directory_.path(), "/jit-", getpid(), ".dump");
};

TEST_F(JitDumpTest, CodeReachesAsFarAsItSays) {
  Write(Dump().Load(0x1000, "serve", 0x10).Load(0x3000, "stub").content());
  const std::vector<FoundFrame> frames =
      ReadJitDump(path_, {0x100f, 0xfff, 0x3000, 0x1010});
  EXPECT_EQ(frames[0].system_name, "serve");
  EXPECT_FALSE(frames[1].found);
  EXPECT_EQ(frames[2].system_name, "stub");
  EXPECT_FALSE(frames[3].found);
}

TEST_F(JitDumpTest, TheLastCodeAtAnAddressCounts) {
  Write(Dump().Load(0x1000, "old").Load(0x1000, "young").content());
  EXPECT_EQ(NameAt(0x1004), "young");
}

TEST_F(JitDumpTest, CodeLargerThanWhatIsReadAtATimeIsPassedOver) {
  Write(Dump().Load(0x1000, "large", 200'000).Load(0x90000, "next").content());
  EXPECT_EQ(NameAt(0x1000 + 199'999), "large");
  EXPECT_EQ(NameAt(0x90000), "next");
}

TEST_F(JitDumpTest, LinesAreThoseOfTheCodeBehindThem) {
  Write(Dump()
            .Lines(0x1000, {{0x1000, 10, "app.js"},
                            {0x1010, 12, "\xff"},
                            {0x1020, 3, "lib.js"}})
            .Load(0x1000, "serve")
            .Load(0x2000, "other")
            .content());
  const std::vector<FoundFrame> frames =
      ReadJitDump(path_, {0x100f, 0x1010, 0x10ff, 0x2000});
  EXPECT_EQ(frames[0].filename, "app.js");
  EXPECT_EQ(frames[0].line, 10);
  EXPECT_EQ(frames[1].filename, "app.js");
  EXPECT_EQ(frames[1].line, 12);
  EXPECT_EQ(frames[2].filename, "lib.js");
  EXPECT_EQ(frames[2].line, 3);
  EXPECT_EQ(frames[3].system_name, "other");
  EXPECT_EQ(frames[3].line, 0);
}

TEST_F(JitDumpTest, MovedCodeIsFollowed) {
  Write(Dump()
            .Load(0x5000, "gone")
            .Load(0x1000, "moved")
            .Move(0x1000, 0x3000)
            .Load(0x1000, "successor")
            .Move(0x3000, 0x5000)
            .content());
  EXPECT_EQ(NameAt(0x5010), "moved");
  EXPECT_EQ(NameAt(0x1010), "successor");
}

TEST_F(JitDumpTest, CodePutWhereOtherCodeWasMovedToCounts) {
  Write(Dump()
            .Load(0x1000, "moved")
            .Move(0x1000, 0x3000)
            .Load(0x3000, "newer")
            .content());
  EXPECT_EQ(NameAt(0x3010), "newer");
}

TEST_F(JitDumpTest, FilesThatAreNotOursSayNothing) {
  Write(Dump(getpid() + 1).Load(0x1000, "other_process").content());
  EXPECT_EQ(NameAt(0x1000), "");
  Write(Dump(getpid(), EM_AARCH64).Load(0x1000, "other_machine").content());
  EXPECT_EQ(NameAt(0x1000), "");
  Write("no dump at all");
  EXPECT_EQ(NameAt(0x1000), "");
  std::filesystem::remove(path_);
  EXPECT_EQ(NameAt(0x1000), "");
}

TEST_F(JitDumpTest, AFileOfSomebodyElseSaysNothing) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  Write(Dump().Load(0x1000, "planted").content());
  ASSERT_EQ(chown(path_.c_str(), 12345, 12345), 0);
  EXPECT_EQ(NameAt(0x1000), "");
}

TEST_F(JitDumpTest, WhatIsWholeBeforeTheBreakCounts) {
  const std::string whole = Dump().Load(0x1000, "first").content();
  Write(whole + Bytes(0u, 8u, uint64_t{0}));  // a record smaller than its head
  EXPECT_EQ(NameAt(0x1000), "first");
  Write(Dump()
            .Load(0x1000, "first")
            .Load(0x2000, "second")
            .content()
            .substr(0, whole.size() + 20));
  EXPECT_EQ(NameAt(0x1000), "first");
  EXPECT_EQ(NameAt(0x2000), "");
}

TEST_F(JitDumpTest, FlippedBytesAreSurvived) {
  const std::string whole =
      Dump()
          .Lines(0x1000, {{0x1000, 10, "app.js"}, {0x1010, 12, "\xff"}})
          .Load(0x1000, "serve")
          .Move(0x1000, 0x3000)
          .Load(0x1000, "other")
          .content();
  std::mt19937_64 random(1);
  size_t named = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string content = whole;
    for (int flips = 1 + round % 4; flips > 0; --flips) {
      content[40 + random() % (content.size() - 40)] =
          static_cast<char>(random());
    }
    Write(content);
    for (const FoundFrame& frame : ReadJitDump(path_, {0x1010, 0x3010})) {
      EXPECT_EQ(frame.found, !frame.system_name.empty());
      named += frame.found;
    }
  }
  EXPECT_GT(named, 500u);
}

// Compilers map their file for perf to see it in what the kernel records.
TEST_F(JitDumpTest, AMappedFileIsFound) {
  EXPECT_THAT(FindJitDumps(), Not(Contains(path_)));
  Write(Dump().content());
  const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  void* mapping = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  ASSERT_NE(mapping, MAP_FAILED);
  EXPECT_THAT(FindJitDumps(), Contains(path_));
  munmap(mapping, 4096);
}

TEST_F(JitDumpTest, AnEarlierProcessesFileIsNotFound) {
  const std::string path = absl::StrCat("/tmp/jit-", getpid(), ".dump");
  std::ofstream(path, std::ios::binary) << Dump().content();
  EXPECT_THAT(FindJitDumps(), Contains(path));
  std::filesystem::last_write_time(
      path, std::filesystem::last_write_time(path) - std::chrono::hours(1));
  EXPECT_THAT(FindJitDumps(), Not(Contains(path)));
  std::filesystem::remove(path);
}

TEST_F(JitDumpTest, CountsBeforePerfsMap) {
  Write(Dump()
            .Lines(0x1000, {{0x1000, 7, "app.cc"}})
            .Load(0x1000, "_Z5servei")
            .content());
  const std::string map = directory_.path() + "/perf.map";
  std::ofstream(map) << "1000 10 from_map\n2000 10 only_in_map\n";
  Profile profile = ProfileOf({0x1008, 0x2008, 0x3008});
  for (Location& location : profile.locations) location.mapping_id = 0;
  SymbolizerOptions options;
  options.perf_map = map;
  options.jit_dump = path_;
  Symbolizer(options).Symbolize(profile);
  EXPECT_EQ(FunctionAt(profile, 0).name, "serve(int)");
  EXPECT_EQ(FunctionAt(profile, 0).system_name, "_Z5servei");
  EXPECT_EQ(FunctionAt(profile, 0).filename, "app.cc");
  EXPECT_EQ(profile.locations[0].lines[0].line, 7);
  EXPECT_EQ(FunctionAt(profile, 1).name, "only_in_map");
  EXPECT_EQ(FunctionAt(profile, 2).name, "0x3008");
  EXPECT_THAT(profile.comments, IsEmpty());
}

}  // namespace
}  // namespace wallprof::symbolize
