#include "fleet/pgo/export/function_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "fleet/pgo/export/llvm_text.h"

namespace wallprof::pgo {
namespace {

using symbolize::CodePlace;
using symbolize::CodePlaces;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

CodePlace At(const std::string& function, int64_t line,
             uint32_t discriminator = 0, int64_t declared_line = 100) {
  return {function, line, declared_line, discriminator};
}

// What LLVM makes of a base discriminator and a factor below 32.
uint32_t Encoded(uint32_t base, uint32_t factor = 0) {
  return (base == 0 ? 1 | factor << 2 : base << 1 | factor << 8);
}

class FunctionTableTest : public ::testing::Test {
 protected:
  std::string Text() { return LlvmText(std::move(builder_).Finish(figures_)); }

  TableBuilder builder_{Discriminators::kLlvm};
  TableFigures figures_;
};

TEST_F(FunctionTableTest, PlacesCountAsTheirBusiestAddress) {
  builder_.Add({At("f", 102)}, 0, 5);
  builder_.Add({At("f", 102)}, 0, 30);
  builder_.Add({At("f", 102)}, 0, 20);
  builder_.Add({At("f", 102, Encoded(3))}, 0, 7);
  EXPECT_EQ(Text(),
            "f:62:0\n"
            " 2: 30\n"
            " 2.3: 7\n");
  EXPECT_EQ(figures_.written, 62);
  EXPECT_EQ(figures_.placed, 62);
  EXPECT_THAT(figures_.dropped, IsEmpty());
}

TEST_F(FunctionTableTest, CopiesInPlaceCountAsOftenAsTheyRan) {
  builder_.Add({At("f", 102, Encoded(0, 4))}, 0, 10);
  builder_.Add({At("f", 103, Encoded(2, 3))}, 0, 1);
  EXPECT_EQ(Text(),
            "f:43:0\n"
            " 2: 40\n"
            " 3.2: 3\n");
  EXPECT_EQ(figures_.written, 11);
}

TEST_F(FunctionTableTest, InlinedCopiesAreOfTheirCall) {
  const CodePlaces twice = {At("leaf", 12, 0, 10), At("middle", 55, 0, 50),
                            At("f", 107, Encoded(1))};
  builder_.Add(twice, 0, 20);
  builder_.Add({At("leaf", 12, 0, 10), At("f", 108)}, 0, 4);
  EXPECT_EQ(Text(),
            "f:24:0\n"
            " 7.1: middle:20\n"
            "  5: leaf:20\n"
            "   2: 20\n"
            " 8: leaf:4\n"
            "  2: 4\n");
}

TEST_F(FunctionTableTest, OffsetsHaveSixteenBitsAsInClang) {
  builder_.Add({At("f", 99)}, 0, 10);
  builder_.Add({At("f", 100 + 65536 + 7)}, 0, 11);
  EXPECT_EQ(Text(),
            "f:21:0\n"
            " 7: 11\n"
            " 65535: 10\n");
}

TEST_F(FunctionTableTest, WithoutLinesSamplesAreOfTheirFunctionAlone) {
  builder_.Add({At("f", 0)}, 0, 10);
  builder_.Add({At("g", 3, 0, 0)}, 0, 11);
  // It is known that something is inlined here, but not where it was called.
  builder_.Add({At("leaf", 12, 0, 10), At("h", 0)}, 0, 12);
  builder_.Add({}, 0, 13);
  EXPECT_EQ(Text(), "h:12:0\ng:11:0\nf:10:0\n");
  EXPECT_EQ(figures_.written, 33);
  EXPECT_EQ(figures_.placed, 0);
  EXPECT_THAT(figures_.dropped,
              ElementsAre(Pair("where debug information has no function", 13)));
}

TEST_F(FunctionTableTest, ThinFunctionsAreLeftOut) {
  builder_.Add({At("f", 101)}, 0, 4);
  builder_.Add({At("f", 102)}, 0, 5);
  EXPECT_FALSE(builder_.IsHot("f"));
  builder_.Add({At("g", 102)}, 0, 10);
  EXPECT_TRUE(builder_.IsHot("g"));
  EXPECT_FALSE(builder_.IsHot("h"));
  EXPECT_EQ(Text(), "g:10:0\n 2: 10\n");
  EXPECT_EQ(figures_.thin_functions, 1);
  EXPECT_THAT(figures_.dropped,
              ElementsAre(Pair("in functions of fewer than 10", 9)));
}

TEST_F(FunctionTableTest, CodeThatWasNotMetIsColdInHotFunctions) {
  builder_.Add({At("f", 101)}, 0, 10);
  builder_.Add({At("thin", 101)}, 0, 1);
  builder_.AddCold({At("f", 101)}, 0);
  builder_.AddCold({At("f", 105, Encoded(2))}, 0);
  builder_.AddCold({At("leaf", 11, 0, 10), At("f", 106)}, 0);
  builder_.AddCold({At("f", 0)}, 0);
  builder_.AddCold({At("thin", 105)}, 0);
  builder_.AddCold({At("other", 105)}, 0);
  builder_.AddCold({}, 0);
  EXPECT_EQ(Text(),
            "f:10:0\n"
            " 1: 10\n"
            " 5.2: 0\n"
            " 6: leaf:0\n"
            "  1: 0\n");
}

TEST_F(FunctionTableTest, CallsHaveTargets) {
  builder_.Add({At("f", 101)}, 0, 10);
  builder_.Add({At("f", 105)}, 0, 7);
  const CodePlaces call = {At("f", 103, Encoded(1))};
  // What is inlined in the callee has no part in the call.
  builder_.AddCall(call, 0, {At("leaf", 1), At("square", 2)}, 30);
  builder_.AddCall(call, 0, {At("square", 5)}, 12);
  builder_.AddCall(call, 0, {At("circle", 5)}, 3);
  builder_.AddCall({At("f", 105)}, 0, {At("circle", 5)}, 4);
  builder_.AddCall({At("leaf", 11, 0, 10), At("f", 104)}, 0, {At("circle", 5)},
                   2);
  builder_.AddCall({At("f", 0)}, 0, {At("circle", 5)}, 2);
  builder_.AddCall({}, 0, {At("circle", 5)}, 2);
  builder_.AddCall(call, 0, {}, 2);
  EXPECT_EQ(Text(),
            "f:17:0\n"
            " 1: 10\n"
            " 3.1: 1 square:42 circle:3\n"
            " 5: 7 circle:4\n"
            " 4: leaf:0\n"
            "  1: 1 circle:2\n");
  EXPECT_EQ(figures_.targets, 4);
}

TEST_F(FunctionTableTest, CallsMakeAFunctionWorthWriting) {
  builder_.Add({At("caller", 101)}, 0, 3);
  builder_.AddCold({At("caller", 105)}, 0);
  builder_.AddCall({At("caller", 103)}, 0, {At("square", 5)}, 10);
  builder_.AddCall({At("outermost", 104)}, 0, {At("caller", 5)}, 10);
  builder_.AddCall({At("seldom", 104)}, 0, {At("caller", 5)}, 9);
  EXPECT_EQ(Text(),
            "caller:3:0\n"
            " 1: 3\n"
            " 3: 1 square:10\n"
            "outermost:0:0\n"
            " 4: 1 caller:10\n");
  EXPECT_EQ(figures_.written, 3);
  EXPECT_EQ(figures_.thin_functions, 0);
  EXPECT_THAT(figures_.dropped, IsEmpty());
}

TEST_F(FunctionTableTest, CopiesOfAFunctionAddUp) {
  for (uint64_t copy : {0x1000, 0x2000}) {
    builder_.Add({At("f", 101)}, copy, 10);
    builder_.Add({At("f", 101)}, copy, 3);
    builder_.Add({At("leaf", 11, 0, 10), At("f", 104)}, copy, 4);
    builder_.AddCall({At("f", 101)}, copy, {At("g", 5)}, 2);
  }
  EXPECT_EQ(Text(),
            "f:34:0\n"
            " 1: 20 g:4\n"
            " 4: leaf:8\n"
            "  1: 8\n");
}

TEST_F(FunctionTableTest, NamesThatCannotBeWrittenAreLeftOut) {
  builder_.Add({At("a b", 101)}, 0, 10);
  builder_.Add({At("f", 101)}, 0, 10);
  builder_.Add({At("", 11, 0, 10), At("f", 104)}, 0, 4);
  builder_.AddCall({At("f", 101)}, 0, {At("a b", 5)}, 2);
  EXPECT_EQ(Text(),
            "f:14:0\n"
            " 1: 10\n");
  EXPECT_EQ(figures_.unnamed_copies, 1);
  EXPECT_EQ(figures_.targets, 0);
  EXPECT_THAT(
      figures_.dropped,
      ElementsAre(Pair("in functions whose names cannot be written", 10)));
}

TEST(IgnoredDiscriminatorsTest, PlacesAreLines) {
  TableBuilder builder(Discriminators::kIgnored);
  builder.Add({At("f", 101, 5)}, 0, 10);
  builder.Add({At("f", 101, 0x202)}, 0, 12);
  TableFigures figures;
  EXPECT_EQ(LlvmText(std::move(builder).Finish(figures)),
            "f:22:0\n"
            " 1: 12\n");
}

TEST(BaseDiscriminatorsTest, PiecesOfALineCountAsItDoes) {
  TableBuilder builder(Discriminators::kBase);
  builder.Add({At("f", 101, 2)}, 0, 10);
  builder.AddPiece({At("f", 101, 2)}, 0, 10);
  builder.AddPiece({At("f", 101, 5)}, 0, 10);
  builder.AddPiece({At("f", 0, 5)}, 0, 10);
  builder.AddPiece({At("leaf", 11, 3, 10), At("f", 102, 1)}, 0, 4);
  TableFigures figures;
  EXPECT_EQ(LlvmText(std::move(builder).Finish(figures)),
            "f:10:0\n"
            " 1.2: 10\n"
            " 1.5: 10\n"
            " 2.1: leaf:0\n"
            "  1.3: 4\n");
  EXPECT_EQ(figures.written, 10);
}

// Whatever the input: every sample is written, or has a reason not to be.
TEST(FunctionTableFiguresTest, AddUp) {
  std::mt19937 random(1);
  const std::vector<std::string> names = {"a", "b", "c", "a b", ""};
  for (int round = 0; round < 200; ++round) {
    TableBuilder builder(Discriminators::kLlvm);
    int64_t all = 0;
    const int addresses = static_cast<int>(random() % 30);
    for (int i = 0; i < addresses; ++i) {
      CodePlaces places(random() % 4);
      for (CodePlace& place : places) {
        place = At(names[random() % names.size()], random() % 3 * 50,
                   random() % 2000, random() % 2 * 20);
      }
      const int64_t count = 1 + random() % 15;
      all += count;
      builder.Add(places, random() % 2, count);
    }
    TableFigures figures;
    const FunctionTable table = std::move(builder).Finish(figures);
    int64_t dropped = 0;
    for (const auto& [reason, count] : figures.dropped) dropped += count;
    EXPECT_EQ(figures.written + dropped, all);
    EXPECT_LE(figures.placed, figures.written);
    int64_t totals = 0;
    for (const auto& [name, function] : table) totals += function.total;
    EXPECT_GE(totals, figures.written);
    EXPECT_EQ(table.empty(), figures.written == 0);
  }
}

}  // namespace
}  // namespace wallprof::pgo
