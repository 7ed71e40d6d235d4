#include "profiler/symbolize/dwarf/source_index.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

TEST(SourceIndexTest, FindsTheFunctionOfAnAddress) {
  SourceIndex index;
  index.Add(3, {{{0x2000, 0x10, 0, 50, 60}, {0x1000, 0x10, 0, 20, 50}},
                {{0x1000, 0x10, 5}}});
  ASSERT_NE(index.Find(0x100f), nullptr);
  EXPECT_EQ(index.Find(0x100f)->entry, 20u);
  EXPECT_EQ(index.Find(0x100f)->unit, 3u);
  ASSERT_NE(index.Find(0x2000), nullptr);
  EXPECT_EQ(index.Find(0x2000)->entry, 50u);
  EXPECT_EQ(index.Find(0xfff), nullptr);
  EXPECT_EQ(index.Find(0x1010), nullptr);
  EXPECT_EQ(index.Find(0x2010), nullptr);
  EXPECT_EQ(index.Sequences(3).size(), 1u);
  EXPECT_EQ(index.Sequences(4).size(), 0u);
}

TEST(SourceIndexTest, OverlappingFunctionsAreNotTaken) {
  SourceIndex index;
  index.Add(0, {{{0x1000, 0x20, 0, 20, 50}, {0x1010, 0x20, 0, 50, 60}}, {}});
  EXPECT_EQ(index.Find(0x1000), nullptr);
  index.Add(1, {{{0x1000, 0x20, 0, 20, 50}}, {}});
  index.Add(2, {{{0x1000, 0x20, 0, 70, 80}}, {}});
  ASSERT_NE(index.Find(0x1000), nullptr);
  EXPECT_EQ(index.Find(0x1000)->unit, 1u);
}

TEST(SourceIndexTest, StaysWithinItsBound) {
  SourceIndex index;
  for (size_t unit = 0; unit < 1000; ++unit) {
    LearntUnit learnt;
    for (uint32_t i = 0; i < 1000; ++i) {
      learnt.functions.push_back({unit << 20 | i << 4, 16, 0, i, i + 1});
    }
    index.Add(unit, std::move(learnt));
  }
  EXPECT_NE(index.Find(16), nullptr);
  EXPECT_EQ(index.Find(uint64_t{999} << 20), nullptr);
  EXPECT_LT(index.bytes(), SourceIndex::kMaxBytes + 100'000);
  EXPECT_GT(index.bytes(), SourceIndex::kMaxBytes / 2);
  index.Clear();
  EXPECT_EQ(index.Find(16), nullptr);
}

TEST(SourceIndexTest, OfAnotherFileAllIsForgotten) {
  const TemporaryDirectory directory;
  const int one =
      open((directory.path() + "/1").c_str(), O_RDWR | O_CREAT, 0600);
  const int two =
      open((directory.path() + "/2").c_str(), O_RDWR | O_CREAT, 0600);
  SourceIndex index;
  index.UseFile(one);
  index.Add(0, {{{0x1000, 0x20, 0, 20, 50}}, {}});
  index.UseFile(one);
  EXPECT_NE(index.Find(0x1000), nullptr);
  index.UseFile(two);
  EXPECT_EQ(index.Find(0x1000), nullptr);
  close(one);
  close(two);
}

}  // namespace
}  // namespace wallprof::symbolize
