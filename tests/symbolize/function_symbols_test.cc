#include "profiler/symbolize/function_symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/symbolize/binutils.h"
#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

std::vector<FunctionSymbol> Find(const std::string& path,
                                 const std::vector<uint64_t>& addresses) {
  const auto image = ElfImage::Open(path);
  EXPECT_TRUE(image.ok()) << image.status();
  return image.ok() ? FindFunctionSymbols(**image, addresses)
                    : std::vector<FunctionSymbol>();
}

FunctionSymbol FindOne(uint64_t address) {
  return Find(SUBJECT, {address}).at(0);
}

uint64_t At(const std::string& name) { return NmAddress(SUBJECT, name); }

TEST(FunctionSymbolsTest, ASymbolHasItsBeginAndSize) {
  const uint64_t begin = At("wp_outer");
  for (const uint64_t into : {0, 15}) {
    const FunctionSymbol symbol = FindOne(begin + into);
    EXPECT_EQ(symbol.name, "wp_outer");
    EXPECT_EQ(symbol.begin, begin);
    EXPECT_EQ(symbol.size, 16u);
    EXPECT_FALSE(symbol.local);
    EXPECT_EQ(symbol.file, "");
  }
  EXPECT_EQ(FindOne(begin + 16).name, "");
}

TEST(FunctionSymbolsTest, ALocalOneHasItsFile) {
  const FunctionSymbol symbol = FindOne(At("_ZN7subjectL7PrivateEi"));
  EXPECT_EQ(symbol.name, "_ZN7subjectL7PrivateEi");
  EXPECT_TRUE(symbol.local);
  EXPECT_EQ(symbol.file, "subject.cc");
}

}  // namespace
}  // namespace wallprof::symbolize
