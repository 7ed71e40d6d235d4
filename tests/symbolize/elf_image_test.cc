#include "profiler/symbolize/elf_image.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/symbolize/binutils.h"
#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST(ElfImageTest, BuildIdIsThatOfReadelf) {
  const auto image = ElfImage::Open(SUBJECT);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_THAT((*image)->BuildId(), SizeIs(40));
  EXPECT_THAT(OutputOf("readelf -n " SUBJECT),
              HasSubstr("Build ID: " + (*image)->BuildId()));
}

TEST(ElfImageTest, AnImageWithoutBuildIdHasNone) {
  const auto image = ElfImage::Open(SUBJECT_ANONYMOUS);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ((*image)->BuildId(), "");
}

TEST(ElfImageTest, FileOffsetsAreToldByProgramHeaders) {
  const auto image = ElfImage::Open(SUBJECT);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ((*image)->AddressOf(0), 0u);
  EXPECT_EQ((*image)->AddressOf(uint64_t{1} << 40), std::nullopt);

  // Data lies elsewhere in memory than in the file.
  bool moved = false;
  for (const std::string& line :
       LinesOf(OutputOf("readelf -lW " SUBJECT " | grep LOAD"))) {
    unsigned long offset = 0, address = 0;
    ASSERT_EQ(std::sscanf(line.c_str(), " LOAD %lx %lx", &offset, &address), 2);
    EXPECT_EQ((*image)->AddressOf(offset), address);
    moved |= offset != address;
  }
  EXPECT_TRUE(moved);
}

TEST(ElfImageTest, ReadingStopsAtTheEnd) {
  const auto image = ElfImage::Open(SUBJECT);
  ASSERT_TRUE(image.ok()) << image.status();
  const uint64_t size = std::filesystem::file_size(SUBJECT);
  char bytes[64];
  EXPECT_EQ((*image)->ReadAt(0, 4, bytes), 4u);
  EXPECT_EQ(std::string(bytes, 4), "\177ELF");
  EXPECT_EQ((*image)->ReadAt(size - 10, sizeof bytes, bytes), 10u);
  EXPECT_EQ((*image)->ReadAt(size, sizeof bytes, bytes), 0u);
  EXPECT_EQ((*image)->ReadAt(~uint64_t{0}, sizeof bytes, bytes), 0u);
}

TEST(ElfImageTest, TheVdsoIsRead) {
  const auto image = ElfImage::Vdso();
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_THAT((*image)->symbol_tables(), Not(IsEmpty()));
  char bytes[64];
  ASSERT_EQ((*image)->ReadAt(0, sizeof bytes, bytes), sizeof bytes);
  EXPECT_EQ(
      std::memcmp(bytes, reinterpret_cast<void*>(getauxval(AT_SYSINFO_EHDR)),
                  sizeof bytes),
      0);
  EXPECT_EQ((*image)->ReadAt(1 << 30, sizeof bytes, bytes), 0u);
}

TEST(ElfImageTest, AFileThatIsMissingIsNotFound) {
  const auto image = ElfImage::Open("/nowhere/libx.so");
  EXPECT_EQ(image.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(image.status().message(),
            "/nowhere/libx.so: No such file or directory");
}

TEST(ElfImageTest, WhatIsNoFileIsRefusedWithoutWaiting) {
  const TemporaryDirectory directory;
  const std::string fifo = directory.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {fifo, directory.path()}) {
    const auto image = ElfImage::Open(path);
    EXPECT_EQ(image.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(image.status().message(), path + ": not a file");
  }
}

TEST(ElfImageTest, WhatIsNoProgramIsRefused) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/text";
  for (const std::string content : {"", "\177ELF", "hello", "!<arch>\n"}) {
    std::ofstream(path) << content;
    EXPECT_EQ(ElfImage::Open(path).status().message(),
              path + ": not an ELF file");
  }
}

TEST(ElfImageTest, ProgramsOfOtherMachinesAreRefused) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/arm.so";
  std::filesystem::copy_file(SUBJECT, path);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(18);  // e_machine
  file.put(static_cast<char>(183));
  file.close();
  EXPECT_EQ(ElfImage::Open(path).status().message(),
            path + ": not an x86-64 program or shared library");
}

TEST(ElfImageTest, TheFileIsClosedWithTheImage) {
  const auto descriptors = [] {
    std::vector<std::string> paths;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code error;
      paths.push_back(std::filesystem::read_symlink(entry, error));
    }
    return paths;
  };
  const std::string path = std::filesystem::canonical(SUBJECT);
  {
    const auto image = ElfImage::Open(SUBJECT);
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_THAT(descriptors(), ::testing::Contains(path));
  }
  EXPECT_THAT(descriptors(), Not(::testing::Contains(path)));
}

}  // namespace
}  // namespace wallprof::symbolize
