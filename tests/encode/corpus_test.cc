// Runs the fuzzer's check over its corpus, where there is no fuzzer.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>

#include "tests/encode/shell.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace wallprof {
namespace {

TEST(CorpusTest, EveryFilePasses) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CORPUS)) {
    SCOPED_TRACE(entry.path());
    std::string bytes = ReadWhole(entry.path());
    EXPECT_EQ(LLVMFuzzerTestOneInput(
                  reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
              0);
    ++files;
  }
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace wallprof
