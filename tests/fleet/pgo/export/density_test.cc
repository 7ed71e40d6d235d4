#include "fleet/pgo/export/density.h"

#include <gtest/gtest.h>

namespace wallprof::pgo {
namespace {

TEST(DensityTest, IsThatOfTheThinnestFunctionThatMatters) {
  EXPECT_EQ(DensityOf({{500, 100}}), 5.0);
  // The second is needed for 99 %, the third is not.
  EXPECT_EQ(DensityOf({{1, 100}, {600, 100}, {399, 200}}), 399.0 / 200);
  EXPECT_EQ(DensityOf({{20, 100}, {600, 100}, {380, 200}}), 20.0 / 100);
}

TEST(DensityTest, IsNotKnownWithoutSizes) {
  EXPECT_EQ(DensityOf({}), std::nullopt);
  EXPECT_EQ(DensityOf({{10, 0}, {0, 10}}), std::nullopt);
  EXPECT_EQ(DensityOf({{10, 0}, {30, 10}}), 3.0);
}

}  // namespace
}  // namespace wallprof::pgo
