#include "fleet/pgo/export/llvm_text.h"

#include <gtest/gtest.h>

namespace wallprof::pgo {
namespace {

TEST(LlvmTextTest, WritesWhatLlvmReads) {
  FunctionTable table;
  FunctionCounts& small = table["a_small_one"];
  small.total = 10;
  small.body[{1, 0}].count = 10;
  FunctionCounts& large = table["_Z5largev"];
  large.total = 70;
  large.head = 3;
  large.body[{2, 0}].count = 5;
  large.body[{2, 3}].count = 0;
  large.body[{10, 0}] = {7, {{"_Z1av", 1}, {"_Z1bv", 9}, {"_Z1cv", 1}}};
  FunctionCounts& inlined = large.inlined[{{4, 1}, "_Z7inlinedv"}];
  inlined.total = 30;
  inlined.body[{0, 0}].count = 20;
  inlined.inlined[{{1, 0}, "_Z7deepestv"}].total = 10;
  EXPECT_EQ(LlvmText(table),
            "_Z5largev:70:3\n"
            " 2: 5\n"
            " 2.3: 0\n"
            " 10: 7 _Z1bv:9 _Z1av:1 _Z1cv:1\n"
            " 4.1: _Z7inlinedv:30\n"
            "  0: 20\n"
            "  1: _Z7deepestv:10\n"
            "a_small_one:10:0\n"
            " 1: 10\n");
  EXPECT_EQ(LlvmText({}), "");
}

TEST(LlvmTextTest, KnowsWhichNamesItCanHave) {
  for (const char* name : {"main", "_ZZ4mainENK3$_0clEmm", "a.__uniq.1",
                           "\xc3\xa4rger", "?x@@YAXXZ", "f<int>"}) {
    EXPECT_TRUE(IsLlvmName(name)) << name;
  }
  for (const char* name : {"", "1st", "a b", "a:b", "a\nb", "#f", "[main]",
                           "!Attributes", "\x7f"}) {
    EXPECT_FALSE(IsLlvmName(name)) << name;
  }
}

}  // namespace
}  // namespace wallprof::pgo
