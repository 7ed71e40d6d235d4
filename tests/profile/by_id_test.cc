#include "profiler/profile/by_id.h"

#include <gtest/gtest.h>

#include "wallprof/profile.h"

namespace wallprof {
namespace {

TEST(ByIdTest, FindsIdsInOrderAndFarOff) {
  std::vector<Function> functions = {{1, "one"}, {1'000'000'000'000, "far"}};
  ById<Function> by_id(functions);
  EXPECT_EQ(by_id.Find(1), &functions[0]);
  EXPECT_EQ(by_id.Find(1'000'000'000'000), &functions[1]);
}

TEST(ByIdTest, DoesNotFindWhatIsNotThere) {
  std::vector<Function> functions = {{1, "one"}};
  ById<Function> by_id(functions);
  EXPECT_EQ(by_id.Find(0), nullptr);
  EXPECT_EQ(by_id.Find(2), nullptr);
  EXPECT_EQ(by_id.Find(~uint64_t{0}), nullptr);
}

TEST(ByIdTest, OfTwoWithOneIdTheFirstIsFound) {
  std::vector<Function> functions = {{1, "a"}, {1, "b"}, {9, "c"}, {9, "d"}};
  ById<Function> by_id(functions);
  EXPECT_EQ(by_id.Find(1), &functions[0]);
  EXPECT_EQ(by_id.Find(9), &functions[2]);
}

}  // namespace
}  // namespace wallprof
