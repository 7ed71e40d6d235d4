#include "profiler/symbolize/function_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/symbolize/binutils.h"
#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

std::vector<std::string> Find(const std::string& path,
                              const std::vector<uint64_t>& addresses) {
  const auto image = ElfImage::Open(path);
  EXPECT_TRUE(image.ok()) << image.status();
  return image.ok() ? FindFunctions(**image, addresses)
                    : std::vector<std::string>();
}

std::string FindOne(const std::string& path, uint64_t address) {
  return Find(path, {address}).at(0);
}

std::string FindOne(uint64_t address) { return FindOne(SUBJECT, address); }

uint64_t At(const std::string& name) { return NmAddress(SUBJECT, name); }

TEST(FunctionSearchTest, AFunctionReachesFromItsStartToItsEnd) {
  const uint64_t start = At("wp_outer");
  EXPECT_EQ(FindOne(start), "wp_outer");
  EXPECT_EQ(FindOne(start + 15), "wp_outer");
  EXPECT_EQ(FindOne(start + 16), "");
}

TEST(FunctionSearchTest, ALabelInsideAFunctionDoesNotCount) {
  EXPECT_EQ(FindOne(At("wp_inner")), "wp_outer");
  EXPECT_EQ(FindOne(At("wp_inner") + 8), "");
}

TEST(FunctionSearchTest, ASymbolWithoutSizeReachesUpToTheNext) {
  EXPECT_EQ(FindOne(At("wp_label")), "wp_label");
  EXPECT_EQ(FindOne(At("wp_label") + 7), "wp_label");
  EXPECT_EQ(FindOne(At("wp_next")), "wp_next");
  EXPECT_EQ(FindOne(At("wp_next") + 7), "wp_next");
}

TEST(FunctionSearchTest, ASymbolWithoutSizeReachesNoFurtherThanItsSection) {
  EXPECT_EQ(FindOne(At("wp_last")), "wp_last");
  EXPECT_EQ(FindOne(At("wp_last") + 7), "wp_last");
  EXPECT_EQ(FindOne(At("wp_last") + 8), "");
}

TEST(FunctionSearchTest, OfSeveralNamesTheOneForCallersIsTaken) {
  EXPECT_EQ(At("__wp_receive"), At("wp_receive"));
  EXPECT_EQ(At("_wp_receive"), At("wp_receive"));
  EXPECT_EQ(FindOne(At("wp_receive") + 1), "wp_receive");
}

TEST(FunctionSearchTest, VersionsAreLeftOut) {
  EXPECT_EQ(FindOne(At("wp_versioned_now")), "wp_versioned");
}

TEST(FunctionSearchTest, AnIndirectFunctionIsFoundAtItsResolver) {
  EXPECT_EQ(FindOne(At("wp_indirect")), "wp_indirect");
}

TEST(FunctionSearchTest, AddressesWithoutFunctionHaveNoName) {
  EXPECT_EQ(FindOne(0), "");
  EXPECT_EQ(FindOne(~uint64_t{0}), "");
}

TEST(FunctionSearchTest, AddressesMayRepeat) {
  const uint64_t address = At("wp_plain");
  EXPECT_THAT(Find(SUBJECT, {0, address, address, address + 1}),
              ::testing::ElementsAre("", "wp_plain", "wp_plain", "wp_plain"));
}

TEST(FunctionSearchTest, NoAddressesNeedNoNames) {
  EXPECT_THAT(Find(SUBJECT, {}), ::testing::IsEmpty());
}

TEST(FunctionSearchTest, AStrippedFileHasTheNamesThatItExports) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/stripped.so";
  OutputOf("strip -o " + path + " " SUBJECT);
  EXPECT_EQ(FindOne(path, At("wp_plain")), "wp_plain");
  EXPECT_EQ(FindOne(path, At("wp_receive")), "wp_receive");
  EXPECT_EQ(FindOne(path, At("wp_versioned_now")), "wp_versioned");
  EXPECT_EQ(FindOne(path, At("wp_hidden")), "");
  EXPECT_EQ(FindOne(path, At("_ZN7subjectL7PrivateEi")), "");
}

TEST(FunctionSearchTest, AFileWithoutSectionsHasNoNames) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/bare.so";
  OutputOf("cp " SUBJECT " " + path + " && dd if=/dev/zero of=" + path +
           " bs=1 seek=40 count=8 conv=notrunc 2>/dev/null");  // e_shoff
  EXPECT_EQ(FindOne(path, At("wp_plain")), "");
}

// Every function of a large program: this test itself.
class WholeProgramTest : public ::testing::Test {
 protected:
  WholeProgramTest() {
    for (const NmSymbol& symbol : Nm(ThisProgram())) {
      if (std::string("tTwWi").find(symbol.kind) == std::string::npos) continue;
      names_at_[symbol.address].insert(symbol.name);
      uint64_t& size = size_at_[symbol.address];
      size = std::max(size, symbol.size);
    }
  }

  std::map<uint64_t, std::set<std::string>> names_at_;
  std::map<uint64_t, uint64_t> size_at_;
};

TEST_F(WholeProgramTest, AgreesWithNm) {
  std::vector<uint64_t> addresses;
  std::vector<uint64_t> starts;
  for (const auto& [start, size] : size_at_) {
    const auto next = size_at_.upper_bound(start);
    if (size == 0 || (next != size_at_.end() && next->first < start + size)) {
      continue;
    }
    for (const uint64_t into : {uint64_t{0}, size / 2, size - 1}) {
      addresses.push_back(start + into);
      starts.push_back(start);
    }
  }
  ASSERT_GT(addresses.size(), 300u);
  const std::vector<std::string> found = Find(ThisProgram(), addresses);
  ASSERT_EQ(found.size(), addresses.size());
  for (size_t i = 0; i < addresses.size(); ++i) {
    EXPECT_EQ(names_at_[starts[i]].count(found[i]), 1u)
        << std::hex << addresses[i] << " " << found[i];
  }
}

TEST_F(WholeProgramTest, AgreesWithAddr2line) {
  // addr2line takes aliases in another order, so only where there are none.
  std::vector<uint64_t> addresses;
  std::string arguments;
  for (const auto& [start, size] : size_at_) {
    if (size == 0 || names_at_[start].size() > 1) continue;
    if (addresses.size() == 500) break;
    addresses.push_back(start + size / 2);
    arguments += absl::StrCat(" 0x", absl::Hex(addresses.back()));
  }
  // With debug information addr2line tells inlined functions instead.
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/program";
  OutputOf("objcopy --strip-debug " + ThisProgram() + " " + path);
  // Of each address a line with its function and one with its source.
  const std::vector<std::string> lines =
      LinesOf(OutputOf("addr2line -f -e " + path + arguments));
  const std::vector<std::string> found = Find(ThisProgram(), addresses);
  ASSERT_EQ(lines.size(), 2 * addresses.size());
  for (size_t i = 0; i < addresses.size(); ++i) {
    EXPECT_EQ(found[i], lines[2 * i]) << std::hex << addresses[i];
  }
}

}  // namespace
}  // namespace wallprof::symbolize
