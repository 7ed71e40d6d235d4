#include "fleet/pgo/export/gcc_profile.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace wallprof::pgo {
namespace {

// Reads as GCC 12 does.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  uint32_t Word() {
    uint32_t word = 0;
    for (int i = 0; i < 4; ++i) {
      word |= uint32_t{static_cast<unsigned char>(bytes_.at(i))} << (8 * i);
    }
    bytes_.remove_prefix(4);
    return word;
  }

  uint64_t Counter() {
    const uint64_t low = Word();
    return uint64_t{Word()} << 32 | low;
  }

  std::string Name() {
    const uint32_t size = Word();
    std::string name(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    EXPECT_EQ(name.back(), '\0');
    name.pop_back();
    return name;
  }

  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

TEST(GccProfileTest, HasWhatGccReads) {
  FunctionTable table;
  FunctionCounts& work = table["_Z4workv.constprop.0"];
  work.total = 70;
  work.head = int64_t{5} << 32 | 7;
  work.body[{.offset = 3}] = {.count = 40, .targets = {{"_Z3onei", 9}}};
  FunctionCounts& inlined =
      work.inlined[{BodyPlace{.offset = 4}, "_Z6helperv"}];
  inlined.body[{.offset = 1}] = {.count = 30, .targets = {}};

  const std::string bytes = GccProfile(table);
  Reader reader(bytes);
  EXPECT_EQ(reader.Word(), 0x67636461u);
  EXPECT_EQ(reader.Word(), 2u);
  reader.Word();
  EXPECT_EQ(reader.Word(), 0xaa000000u);
  reader.Word();  // bytes
  ASSERT_EQ(reader.Word(), 4u);
  EXPECT_EQ(reader.Name(), "");  // GCC takes no number 0
  EXPECT_EQ(reader.Name(), "_Z3onei");
  EXPECT_EQ(reader.Name(), "_Z4workv");
  EXPECT_EQ(reader.Name(), "_Z6helperv");

  EXPECT_EQ(reader.Word(), 0xac000000u);
  reader.Word();
  ASSERT_EQ(reader.Word(), 1u);
  EXPECT_EQ(reader.Counter(), uint64_t{5} << 32 | 7);
  EXPECT_EQ(reader.Word(), 2u);  // its name
  ASSERT_EQ(reader.Word(), 1u);  // places
  ASSERT_EQ(reader.Word(), 1u);  // inlined
  EXPECT_EQ(reader.Word(), 3u << 16);
  ASSERT_EQ(reader.Word(), 1u);
  EXPECT_EQ(reader.Counter(), 40u);
  reader.Word();  // what is counted
  EXPECT_EQ(reader.Counter(), 1u);
  EXPECT_EQ(reader.Counter(), 9u);
  EXPECT_EQ(reader.Word(), 4u << 16);
  EXPECT_EQ(reader.Word(), 3u);
  ASSERT_EQ(reader.Word(), 1u);
  ASSERT_EQ(reader.Word(), 0u);
  EXPECT_EQ(reader.Word(), 1u << 16);
  ASSERT_EQ(reader.Word(), 0u);
  EXPECT_EQ(reader.Counter(), 30u);

  EXPECT_EQ(reader.Word(), 0xae000000u);
  reader.Word();
  EXPECT_EQ(reader.Word(), 0u);
  EXPECT_TRUE(reader.at_end());
}

// Its head, as GCC reads it.
uint64_t HeadOf(const FunctionCounts& function) {
  const std::string bytes = GccProfile({{"f", function}});
  Reader reader(bytes);
  for (int i = 0; i < 5; ++i) reader.Word();
  const uint32_t names = reader.Word();
  for (uint32_t i = 0; i < names; ++i) reader.Name();
  for (int i = 0; i < 3; ++i) reader.Word();
  return reader.Counter();
}

TEST(GccProfileTest, SaysThatWhatRunsIsEntered) {
  FunctionCounts function;
  EXPECT_EQ(HeadOf(function), 1u);
  function.total = 90;
  EXPECT_EQ(HeadOf(function), 90u);
  function.body[{.offset = 0}] = {};
  function.body[{.offset = 2}] = {.count = 30, .targets = {}};
  function.body[{.offset = 3}] = {.count = 60, .targets = {}};
  EXPECT_EQ(HeadOf(function), 30u);
  function.head = 4;
  EXPECT_EQ(HeadOf(function), 4u);
}

}  // namespace
}  // namespace wallprof::pgo
