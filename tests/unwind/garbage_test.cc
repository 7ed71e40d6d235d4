// Walks of copies that are not stacks: whatever the bytes, a walk ends.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "profiler/unwind/module_map.h"
#include "tests/unwind/walking.h"

namespace wallprof::unwind {
namespace {

// Enough that a frame or two is unwound from most addresses.
constexpr size_t kWords = 512;
constexpr uint64_t kStackAddress = 0x7ffc12340000;

class GarbageTest : public ::testing::Test {
 protected:
  GarbageTest() {
    for (const MapsEntry& entry : ParseMaps(maps_)) {
      if (entry.executable && !entry.path.empty()) code_.push_back(entry);
    }
  }

  uint64_t RandomCode() {
    const MapsEntry& entry = code_[random_() % code_.size()];
    return entry.start + random_() % (entry.limit - entry.start);
  }

  uint64_t RandomWord() {
    return uint64_t{random_()} << 40 ^ uint64_t { random_() } << 20 ^ random_();
  }

  // Into the copy's own memory, as saved frame pointers are.
  uint64_t RandomStackAddress() {
    return kStackAddress + random_() % (kWords * 8);
  }

  // A copy with words made by `word`, at a random address of code.
  template <typename Word>
  void Walk(Word word, bool at_call_boundary) {
    for (uint64_t& each : words_) each = word();
    StackCopy copy;
    copy.registers.Set(kRsp, kStackAddress + (random_() % 64) * 8);
    copy.registers.Set(kRip, RandomCode());
    copy.at_call_boundary = at_call_boundary;
    if (!at_call_boundary) {
      for (int reg = 0; reg < kRip; ++reg) {
        if (reg != kRsp) copy.registers.Set(static_cast<Register>(reg), word());
      }
    }
    copy.segments[0] = {kStackAddress,
                        reinterpret_cast<const std::byte*>(words_.data()),
                        words_.size() * 8};
    copy.segment_count = 1;
    const unwind::Walk& walk = walking_.Of(copy);
    ASSERT_GE(walk.depth, 1u);
    ASSERT_LE(walk.depth, unwind::Walk::kMaxFrames + 1);
    ASSERT_EQ(walk.complete, !walk.stack().back().is_pseudo());
    for (size_t i = 0; i + 1 < walk.depth; ++i) {
      ASSERT_FALSE(walk.frames[i].is_pseudo());
    }
  }

  const std::string maps_ = ReadMaps();
  std::vector<MapsEntry> code_;
  std::minstd_rand random_{12345};
  std::vector<uint64_t> words_ = std::vector<uint64_t>(kWords);
  Walking walking_;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRounds = 2000;
#else
constexpr int kRounds = 20'000;
#endif

TEST_F(GarbageTest, RandomWords) {
  for (int i = 0; i < kRounds; ++i) Walk([&] { return RandomWord(); }, i % 2);
}

TEST_F(GarbageTest, RandomReturnAddresses) {
  for (int i = 0; i < kRounds; ++i) Walk([&] { return RandomCode(); }, i % 2);
}

TEST_F(GarbageTest, ReturnAddressesAndFramePointers) {
  for (int i = 0; i < kRounds / 4; ++i) {
    Walk(
        [&] {
          switch (random_() % 4) {
            case 0:
              return RandomStackAddress() & ~uint64_t{15};
            case 1:
              return RandomWord();
            default:
              return RandomCode();
          }
        },
        i % 2);
  }
}

TEST_F(GarbageTest, OneWordThroughout) {
  for (int i = 0; i < kRounds / 10; ++i) {
    const uint64_t word = RandomCode();
    Walk([&] { return word; }, i % 2);
  }
}

TEST_F(GarbageTest, ProgramCountersThatAreNotCode) {
  for (const uint64_t pc : {uint64_t{0}, uint64_t{1}, ~uint64_t{0},
                            kStackAddress, uint64_t{0x8000000000000000}}) {
    StackCopy copy;
    copy.registers.Set(kRsp, kStackAddress);
    copy.registers.Set(kRip, pc);
    copy.segments[0] = {kStackAddress,
                        reinterpret_cast<const std::byte*>(words_.data()),
                        words_.size() * 8};
    copy.segment_count = 1;
    const unwind::Walk& walk = walking_.Of(copy);
    EXPECT_FALSE(walk.complete);
    EXPECT_LE(walk.depth, 2u);
    EXPECT_EQ(walk.stack().back(),
              stacks::Frame::Pseudo(stacks::PseudoFrame::kTruncated));
  }
}

TEST_F(GarbageTest, NoStackAtAll) {
  StackCopy copy;
  copy.registers.Set(kRsp, kStackAddress);
  copy.registers.Set(kRip, RandomCode());
  EXPECT_FALSE(walking_.Of(copy).complete);
  EXPECT_FALSE(walking_.Of(StackCopy()).complete) << "and no registers";
}

}  // namespace
}  // namespace wallprof::unwind
