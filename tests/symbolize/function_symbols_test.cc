#include "profiler/symbolize/function_symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
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

// Made local by the linker, which does not say where it is from.
TEST(FunctionSymbolsTest, AHiddenOneIsLocalWithoutFile) {
  const FunctionSymbol symbol = FindOne(At("wp_hidden"));
  EXPECT_EQ(symbol.name, "wp_hidden");
  EXPECT_TRUE(symbol.local);
  EXPECT_EQ(symbol.file, "");
}

// Of wp_receive, which is weak, and two that are global, one of them shorter.
TEST(FunctionSymbolsTest, OfSeveralNamesTheShortestGlobalOneIsTaken) {
  EXPECT_EQ(At("wp_receive"), At("_wp_receive"));
  EXPECT_EQ(At("__wp_receive"), At("_wp_receive"));
  const FunctionSymbol symbol = FindOne(At("wp_receive") + 7);
  EXPECT_EQ(symbol.name, "_wp_receive");
  EXPECT_FALSE(symbol.local);
}

TEST(FunctionSymbolsTest, VersionsStay) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/versioned.so";
  OutputOf("objcopy --strip-symbol=wp_versioned_now " SUBJECT " " + path);
  EXPECT_EQ(Find(path, {At("wp_versioned_now")}).at(0).name,
            "wp_versioned@@WP_2");
}

TEST(FunctionSymbolsTest, AnIndirectFunctionIsOne) {
  EXPECT_EQ(FindOne(At("wp_indirect")).name, "wp_indirect");
}

TEST(FunctionSymbolsTest, LabelsAreNone) {
  EXPECT_EQ(FindOne(At("wp_label")).name, "");
  EXPECT_EQ(FindOne(At("wp_inner")).name, "wp_outer");
}

// As some assembly code is.
TEST(FunctionSymbolsTest, OneWithoutSizeReachesUpToTheNext) {
  const FunctionSymbol init = FindOne(At("_init") + 1);
  EXPECT_EQ(init.name, "_init");
  EXPECT_EQ(init.begin, At("_init"));
  EXPECT_EQ(init.size, 0u);
  EXPECT_EQ(FindOne(At("register_tm_clones") - 1).name, "deregister_tm_clones");
  EXPECT_EQ(FindOne(At("register_tm_clones")).name, "register_tm_clones");
}

TEST(FunctionSymbolsTest, AddressesWithoutFunctionHaveNone) {
  EXPECT_THAT(Find(SUBJECT, {}), ::testing::IsEmpty());
  const uint64_t plain = At("wp_plain");
  const auto found = Find(SUBJECT, {0, plain, plain, ~uint64_t{0}});
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].name, "");
  EXPECT_EQ(found[1].name, "wp_plain");
  EXPECT_EQ(found[2].name, "wp_plain");
  EXPECT_EQ(found[3].name, "");
}

TEST(FunctionSymbolsTest, AStrippedFileHasThoseThatItExports) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/stripped.so";
  OutputOf("strip -o " + path + " " SUBJECT);
  EXPECT_EQ(Find(path, {At("wp_plain")}).at(0).name, "wp_plain");
  EXPECT_EQ(Find(path, {At("wp_hidden")}).at(0).name, "");
}

// Every function of this program that has one name, first and last byte.
TEST(FunctionSymbolsTest, AgreeWithNm) {
  std::map<uint64_t, std::vector<NmSymbol>> at;
  for (const NmSymbol& symbol : Nm(ThisProgram())) {
    if (absl::StrContains("tTwW", symbol.kind) && symbol.size > 0) {
      at[symbol.address].push_back(symbol);
    }
  }
  std::vector<uint64_t> addresses;
  std::vector<NmSymbol> expected;
  for (const auto& [begin, symbols] : at) {
    const uint64_t end = begin + symbols[0].size;
    const auto next = at.upper_bound(begin);
    if (symbols.size() > 1 || (next != at.end() && next->first < end)) continue;
    addresses.insert(addresses.end(), {begin, end - 1});
    expected.insert(expected.end(), 2, symbols[0]);
  }
  ASSERT_GT(addresses.size(), 300u);
  const std::vector<FunctionSymbol> found = Find(ThisProgram(), addresses);
  ASSERT_EQ(found.size(), addresses.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, expected[i].name);
    EXPECT_EQ(found[i].begin, expected[i].address);
    EXPECT_EQ(found[i].size, expected[i].size);
    EXPECT_EQ(found[i].local, expected[i].kind == 't') << found[i].name;
  }
}

TEST(FunctionSymbolsTest, FindsNames) {
  const auto image = ElfImage::Open(SUBJECT);
  ASSERT_TRUE(image.ok()) << image.status();
  const std::vector<FunctionSymbol> found =
      FunctionSymbolsNamed(**image, [](const std::string& name) {
        return name == "wp_outer" || name == "_ZN7subjectL7PrivateEi" ||
               name == "_wp_receive" || name == "wp_receive";
      });
  ASSERT_EQ(found.size(), 4u);
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].begin, At(found[i].name));
    EXPECT_EQ(found[i].local, found[i].name[1] == 'Z');
    EXPECT_EQ(found[i].file, found[i].local ? "subject.cc" : "");
    if (i == 0) continue;
    EXPECT_LE(found[i - 1].begin, found[i].begin);
    if (found[i - 1].begin == found[i].begin) {
      EXPECT_LT(found[i - 1].name, found[i].name);
    }
  }
}

}  // namespace
}  // namespace wallprof::symbolize
