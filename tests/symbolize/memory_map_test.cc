#include "profiler/symbolize/memory_map.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

TEST(MemoryMapTest, CodeLiesInItsFile) {
  EXPECT_EQ(MappedFile(reinterpret_cast<uint64_t>(&ThisProgram)),
            ThisProgram());
}

TEST(MemoryMapTest, MemoryOfNoFileHasNone) {
  EXPECT_EQ(MappedFile(0), "");
  EXPECT_EQ(MappedFile(~uint64_t{0}), "");
  const auto large = std::make_unique<char[]>(1 << 24);
  EXPECT_EQ(MappedFile(reinterpret_cast<uint64_t>(large.get()) + (1 << 23)),
            "");
}

TEST(MemoryMapTest, AReplacedFileIsToldApart) {
  const LoadedCopy library(SUBJECT);
  const uint64_t address = library.AddressOf("wp_plain");
  EXPECT_EQ(MappedFile(address), library.path());
  library.ReplaceBy(SUBJECT_REPLACEMENT);
  EXPECT_EQ(MappedFile(address), library.path() + " (deleted)");
}

}  // namespace
}  // namespace wallprof::symbolize
