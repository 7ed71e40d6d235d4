#include "fleet/pgo/export/discriminator.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace wallprof::pgo {
namespace {

// As LLVM's DILocation::encodeDiscriminator() has them.
TEST(DiscriminatorTest, ReadsWhatLlvmWrites) {
  struct Case {
    uint32_t encoded;
    uint32_t base;
    uint32_t factor;
  };
  const Case cases[] = {
      {0, 0, 1},          // nothing
      {2, 1, 1},          // base 1
      {4, 2, 1},          // base 2
      {62, 31, 1},        // the largest base of five bits
      {0xc0, 32, 1},      // seven bits more
      {0x3ffe, 4095, 1},  // all twelve
      {9, 0, 2},          // a factor alone, behind the base's 1 bit
      {17, 0, 4},         //
      {0x102, 1, 1},      // base 1, factor 1 written as a number
      {0x202, 1, 2},      // base 1, factor 2
      {0x404, 2, 4},      // base 2, factor 4
      {0x180c0, 32, 3},   // both, the first long
      {0x82, 1, 1},       // base 1, factor 0 as a lone bit
      {7, 0, 1},          // a pseudo probe's
  };
  for (const Case& one : cases) {
    EXPECT_EQ(BaseDiscriminator(one.encoded), one.base) << one.encoded;
    EXPECT_EQ(DuplicationFactor(one.encoded), one.factor) << one.encoded;
  }
}

}  // namespace
}  // namespace wallprof::pgo
