#include "profiler/stacks/frame.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace wallprof::stacks {
namespace {

TEST(FrameTest, OfCodeHasItsModuleAndOffset) {
  const Frame frame = Frame::Code(7, 0x123456789abc);
  EXPECT_FALSE(frame.is_pseudo());
  EXPECT_EQ(frame.module(), 7);
  EXPECT_EQ(frame.offset(), 0x123456789abcu);
}

TEST(FrameTest, OfNoModuleKeepsAWholeUserAddress) {
  const Frame frame = Frame::Code(kNoModule, 0x7fffffffffff);
  EXPECT_EQ(frame.module(), kNoModule);
  EXPECT_EQ(frame.offset(), 0x7fffffffffffu);
  EXPECT_FALSE(frame.is_pseudo());
}

TEST(FrameTest, OffsetDoesNotSpillIntoTheModule) {
  // A return address read from a damaged stack may have any bits.
  const Frame frame = Frame::Code(3, ~uint64_t{0});
  EXPECT_EQ(frame.module(), 3);
  EXPECT_EQ(frame.offset(), (uint64_t{1} << 48) - 1);
}

TEST(FrameTest, SurvivesAsBits) {
  for (const Frame frame :
       {Frame::Code(1, 2), Frame::Pseudo(PseudoFrame::kMasked)}) {
    EXPECT_EQ(Frame::FromBits(frame.bits()), frame);
  }
}

TEST(FrameTest, PseudoFramesAreNamedInBrackets) {
  std::set<std::string> names;
  for (const PseudoFrame pseudo :
       {PseudoFrame::kTruncated, PseudoFrame::kOverflow, PseudoFrame::kExited,
        PseudoFrame::kMasked, PseudoFrame::kSmallStack,
        PseudoFrame::kNotSampled, PseudoFrame::kUnseen}) {
    const Frame frame = Frame::Pseudo(pseudo);
    EXPECT_TRUE(frame.is_pseudo());
    EXPECT_EQ(frame.pseudo(), pseudo);
    const std::string name = PseudoFrameName(pseudo);
    EXPECT_EQ(name.front(), '[');
    EXPECT_EQ(name.back(), ']');
    names.insert(name);
  }
  EXPECT_EQ(names.size(), 7u) << "each has a name of its own";
  EXPECT_EQ(names.count("[truncated]"), 1u);
  EXPECT_EQ(names.count("[small stack]"), 1u);
}

}  // namespace
}  // namespace wallprof::stacks
