#include "profiler/capture/wait_targets.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <memory>
#include <set>
#include <vector>

namespace wallprof::capture {
namespace {

using stacks::Recording;
using stacks::StackId;
using threads::WaitWords;

WaitWords Read(uint64_t descriptor) {
  return {WaitWords::Kind::kCall, SYS_read, {descriptor, 0, 0}};
}

std::unique_ptr<Recording> OfBytes(size_t bytes) {
  return Recording::Allocate(bytes).value();
}

TEST(WaitTargetsTest, WordsComeBackAsTheyWere) {
  const std::unique_ptr<Recording> recording = OfBytes(Recording::kMinBytes);
  WaitTargets targets(*recording);
  for (const WaitWords& words :
       {Read(7), Read(~uint64_t{0}), WaitWords::Lock(0x55d0c0),
        WaitWords{WaitWords::Kind::kCall, -1, {}}}) {
    const StackId target = targets.Of(words);
    EXPECT_EQ(WordsAt(recording->table(), target), words);
    EXPECT_EQ(targets.Of(words), target);
  }
}

TEST(WaitTargetsTest, BeyondTheMostThereIsOneForAll) {
  const std::unique_ptr<Recording> recording = OfBytes(size_t{64} << 20);
  WaitTargets targets(*recording);
  std::set<StackId> different;
  for (uint64_t i = 0; i < WaitTargets::kMax + 100; ++i) {
    different.insert(targets.Of(Read(i)));
  }
  EXPECT_EQ(different.size(), WaitTargets::kMax + 1);
  EXPECT_EQ(WordsAt(recording->table(), targets.Of(Read(1 << 20))),
            WaitWords::TooMany());
  EXPECT_EQ(WordsAt(recording->table(), targets.Of(Read(3))), Read(3))
      << "what was known stays so";
  targets.Clear();
  EXPECT_EQ(WordsAt(recording->table(), targets.Of(Read(1 << 20))),
            Read(1 << 20));
}

TEST(WaitTargetsTest, StacksGoBeforeTargetsWhereTheTableIsSmall) {
  const std::unique_ptr<Recording> recording = OfBytes(Recording::kMinBytes);
  WaitTargets targets(*recording);
  uint64_t next = 1;
  while (recording->table().Fullness() < WaitTargets::kFullEnough) {
    const std::vector<stacks::Frame> stack(30, stacks::Frame::FromBits(next++));
    ASSERT_NE(recording->table().Intern(stack), stacks::kNoStack);
  }
  EXPECT_EQ(WordsAt(recording->table(), targets.Of(Read(7))),
            WaitWords::TooMany());
}

}  // namespace
}  // namespace wallprof::capture
