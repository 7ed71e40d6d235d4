// Symbolizing with files that are cut short or have bits flipped: whatever
// they hold, nothing crashes, hangs or reads out of bounds.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "profiler/symbolize/elf_image.h"
#include "profiler/symbolize/function_search.h"
#include "profiler/symbolize/function_symbols.h"
#include "tests/symbolize/binutils.h"
#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

class CorruptImageTest : public ::testing::Test {
 protected:
  CorruptImageTest() {
    std::ifstream file(SUBJECT, std::ios::binary);
    whole_.assign(std::istreambuf_iterator<char>(file), {});
    for (const NmSymbol& symbol : Nm(SUBJECT)) {
      addresses_.push_back(symbol.address);
    }
  }

  // Everything that the symbolizer does with a file. Returns the number of
  // addresses that had a name.
  size_t Use(const std::string& content) {
    const std::string path = directory_.path() + "/corrupt.so";
    std::ofstream(path, std::ios::binary) << content;
    const auto image = ElfImage::Open(path);
    if (!image.ok()) return 0;
    EXPECT_LE((*image)->BuildId().size(), 2 * content.size());
    for (const uint64_t address : addresses_) {
      (*image)->AddressOf(address);
    }
    const std::vector<std::string> names = FindFunctions(**image, addresses_);
    EXPECT_EQ(names.size(), addresses_.size());
    for (const FunctionSymbol& symbol :
         FindFunctionSymbols(**image, addresses_)) {
      EXPECT_LE(symbol.name.size() + symbol.file.size(), 2 * content.size());
    }
    size_t named = 0;
    for (const std::string& name : names) named += name.empty() ? 0 : 1;
    return named;
  }

  const TemporaryDirectory directory_;
  std::string whole_;
  std::vector<uint64_t> addresses_;
};

TEST_F(CorruptImageTest, TheWholeFileHasNames) { EXPECT_GT(Use(whole_), 10u); }

TEST_F(CorruptImageTest, FilesCutShortHaveFewerNames) {
  const size_t all = Use(whole_);
  for (size_t size = 0; size < whole_.size(); size += 97) {
    EXPECT_LT(Use(whole_.substr(0, size)), all);
  }
}

TEST_F(CorruptImageTest, FlippedBitsAnywhereAreSurvived) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 1500; ++round) {
    std::string content = whole_;
    for (int flips = 1 + round % 8; flips > 0; --flips) {
      content[random() % content.size()] ^= char(1 << random() % 8);
    }
    EXPECT_LE(Use(content), addresses_.size());
  }
}

// Headers say where everything else is.
TEST_F(CorruptImageTest, WrongHeadersAreSurvived) {
  std::mt19937_64 random(2);
  const uint64_t sections =
      *reinterpret_cast<const uint64_t*>(&whole_[40]);  // e_shoff
  ASSERT_LT(sections, whole_.size());
  const uint64_t extremes[] = {0,
                               1,
                               0x7fffffffffffffff,
                               ~uint64_t{0},
                               whole_.size(),
                               whole_.size() - 1,
                               uint64_t{1} << 32};
  for (int round = 0; round < 1500; ++round) {
    std::string content = whole_;
    const size_t begin = round % 2 == 0 ? 16 : sections;
    const size_t end = round % 2 == 0 ? 64 + 56 * 12 : content.size();
    const size_t at = begin + random() % (end - begin - 8) / 4 * 4;
    const uint64_t value = extremes[random() % std::size(extremes)];
    content.replace(at, 8, reinterpret_cast<const char*>(&value), 8);
    EXPECT_LE(Use(content), addresses_.size());
  }
}

}  // namespace
}  // namespace wallprof::symbolize
