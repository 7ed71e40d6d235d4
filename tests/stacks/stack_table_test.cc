#include "profiler/stacks/stack_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <set>
#include <vector>

#include "tests/stacks/table_memory.h"

namespace wallprof::stacks {
namespace {

constexpr StackTable::Capacity kRoomy = {256, 256, 16384};

SampleKey KeyOf(StackId stack) {
  SampleKey key;
  key.stack = stack;
  return key;
}

Counts CountsOf(const StackTable& table, EntryId entry) {
  SampleKey key;
  Counts counts;
  EXPECT_TRUE(table.Read(entry, key, counts));
  return counts;
}

TEST(StackTableTest, EqualStacksHaveEqualIds) {
  TableMemory memory(kRoomy);
  StackTable table = memory.Table();
  const StackId first = table.Intern(StackOf(1, 10));
  EXPECT_EQ(table.Intern(StackOf(1, 10)), first);
  EXPECT_NE(table.Intern(StackOf(2, 10)), first);
  EXPECT_EQ(table.Frames(first), absl::MakeConstSpan(StackOf(1, 10)));
}

TEST(StackTableTest, AStackIsNotItsOwnBeginning) {
  TableMemory memory(kRoomy);
  StackTable table = memory.Table();
  std::set<StackId> ids;
  for (size_t depth = 0; depth <= 20; ++depth) {
    ids.insert(table.Intern(StackOf(1, depth)));
  }
  EXPECT_EQ(ids.size(), 21u) << "the empty stack too is one";
}

// With twice as many slots as stacks, filling the table makes stacks meet in
// slots whatever their hashes are.
TEST(StackTableTest, StacksThatMeetInASlotAreToldApart) {
  constexpr uint32_t kStacks = 64;
  TableMemory memory({kStacks, kStacks, kStacks * 8});
  StackTable table = memory.Table();
  std::map<StackId, uint32_t> numbers;
  for (uint32_t n = 0; n < kStacks; ++n) {
    const StackId id = table.Intern(StackOf(n, 1 + n % 6));
    ASSERT_NE(id, kNoStack);
    EXPECT_TRUE(numbers.emplace(id, n).second) << n;
  }
  for (const auto& [id, n] : numbers) {
    EXPECT_EQ(table.Frames(id), absl::MakeConstSpan(StackOf(n, 1 + n % 6)));
    EXPECT_EQ(table.Intern(StackOf(n, 1 + n % 6)), id);
  }
}

TEST(StackTableTest, KeysThatMeetInASlotAreToldApart) {
  constexpr uint32_t kEntries = 64;
  TableMemory memory({kEntries, 4, 64});
  StackTable table = memory.Table();
  SampleKey key = KeyOf(table.Intern(StackOf(1, 3)));
  for (uint32_t n = 0; n < kEntries; ++n) {
    key.thread = n;
    const EntryId entry = table.Find(key);
    ASSERT_NE(entry, kNoRoom);
    table.Add(entry, {1, 0, n});
  }
  for (uint32_t n = 0; n < kEntries; ++n) {
    key.thread = n;
    EXPECT_EQ(CountsOf(table, table.Find(key)), (Counts{1, 0, n}));
  }
}

TEST(StackTableTest, EveryPartOfTheKeyCounts) {
  TableMemory memory(kRoomy);
  StackTable table = memory.Table();
  const SampleKey key = KeyOf(table.Intern(StackOf(1, 3)));
  std::vector<SampleKey> keys(6, key);
  keys[1].stack = table.Intern(StackOf(2, 3));
  keys[2].thread = 1;
  keys[3].labels = 1;
  keys[4].wait = 0;
  keys[5].state = ThreadState::kBlocked;
  std::set<EntryId> entries;
  for (const SampleKey& each : keys) entries.insert(table.Find(each));
  EXPECT_EQ(entries.size(), keys.size());
  EXPECT_EQ(table.entry_count(), keys.size());
}

TEST(StackTableTest, CountsAddUp) {
  TableMemory memory(kRoomy);
  StackTable table = memory.Table();
  const SampleKey key = KeyOf(table.Intern(StackOf(1, 3)));
  const EntryId entry = table.Find(key);
  table.Add(entry, {1, 10, 100});
  table.Add(entry, {0, 0, 5});
  table.Add(entry, {2, 0, 0});
  SampleKey read;
  Counts counts;
  ASSERT_TRUE(table.Read(entry, read, counts));
  EXPECT_EQ(read, key);
  EXPECT_EQ(counts, (Counts{3, 10, 105}));
}

TEST(StackTableTest, AnEntryThatNobodyTookReadsAsNone) {
  TableMemory memory(kRoomy);
  StackTable table = memory.Table();
  SampleKey key;
  Counts counts;
  EXPECT_EQ(table.entry_count(), 0u);
  EXPECT_FALSE(table.Read(EntryId{0}, key, counts));
}

// --- no room -----------------------------------------------------------------

TEST(StackTableTest, WithoutRoomForStacksKnownOnesAreStillFound) {
  constexpr uint32_t kStacks = 8;
  TableMemory memory({64, kStacks, 1024});
  StackTable table = memory.Table();
  std::vector<StackId> ids;
  for (uint32_t n = 0; n < kStacks; ++n) {
    ids.push_back(table.Intern(StackOf(n, 5)));
    ASSERT_NE(ids.back(), kNoStack);
  }
  for (uint32_t n = kStacks; n < 1000; ++n) {
    ASSERT_EQ(table.Intern(StackOf(n, 5)), kNoStack);
  }
  for (uint32_t n = 0; n < kStacks; ++n) {
    EXPECT_EQ(table.Intern(StackOf(n, 5)), ids[n]);
    EXPECT_EQ(table.Frames(ids[n]), absl::MakeConstSpan(StackOf(n, 5)));
  }
  EXPECT_EQ(table.Fullness(), 1);
}

TEST(StackTableTest, WithoutRoomForFramesShorterStacksMayStillFit) {
  TableMemory memory({64, 64, 32});
  StackTable table = memory.Table();
  const StackId long_one = table.Intern(StackOf(1, 20));  // 21 of 32 words
  ASSERT_NE(long_one, kNoStack);
  for (uint32_t n = 2; n < 1000; ++n) {
    ASSERT_EQ(table.Intern(StackOf(n, 15)), kNoStack);
  }
  const StackId short_one = table.Intern(StackOf(1, 10));  // the last 11
  ASSERT_NE(short_one, kNoStack);
  EXPECT_EQ(table.Intern(StackOf(1, 0)), kNoStack) << "not one word is left";
  EXPECT_EQ(table.Frames(long_one), absl::MakeConstSpan(StackOf(1, 20)));
  EXPECT_EQ(table.Frames(short_one), absl::MakeConstSpan(StackOf(1, 10)));
}

TEST(StackTableTest, WithoutRoomForEntriesKnownOnesStillCount) {
  constexpr uint32_t kEntries = 8;
  TableMemory memory({kEntries, 8, 256});
  StackTable table = memory.Table();
  SampleKey key = KeyOf(table.Intern(StackOf(1, 5)));
  for (uint32_t n = 0; n < 1000; ++n) {
    key.thread = n;
    const EntryId entry = table.Find(key);
    if (n >= kEntries) {
      ASSERT_EQ(entry, kNoRoom);
      continue;
    }
    ASSERT_NE(entry, kNoRoom);
    table.Add(entry, {1, 2, n});
  }
  EXPECT_EQ(table.entry_count(), kEntries);
  EXPECT_EQ(table.Fullness(), 1);
  for (uint32_t n = 0; n < kEntries; ++n) {
    key.thread = n;
    EXPECT_EQ(CountsOf(table, table.Find(key)), (Counts{1, 2, n}));
  }
}

// --- the whole table ---------------------------------------------------------

TEST(StackTableTest, FullnessIsThatOfTheScarcestResource) {
  TableMemory memory({64, 64, 1000});
  StackTable table = memory.Table();
  EXPECT_EQ(table.Fullness(), 0);
  const StackId stack = table.Intern(StackOf(1, 499));
  EXPECT_DOUBLE_EQ(table.Fullness(), 0.5);
  SampleKey key = KeyOf(stack);
  for (key.thread = 0; key.thread < 48; ++key.thread) table.Find(key);
  EXPECT_DOUBLE_EQ(table.Fullness(), 0.75);
}

TEST(StackTableTest, UsedBytesGrowWithWhatItHolds) {
  TableMemory memory(kRoomy);
  StackTable table = memory.Table();
  const size_t empty = table.UsedBytes();
  table.Intern(StackOf(1, 99));
  EXPECT_EQ(table.UsedBytes(), empty + 100 * sizeof(uint64_t));
  EXPECT_LE(table.UsedBytes(), StackTable::BytesFor(kRoomy));
}

TEST(StackTableTest, ClearedItIsAsNew) {
  constexpr uint32_t kStacks = 8;
  TableMemory memory({8, kStacks, 64});
  StackTable table = memory.Table();
  for (uint32_t round = 0; round < 3; ++round) {
    for (uint32_t n = 0; n < kStacks; ++n) {
      const StackId stack = table.Intern(StackOf(round * 100 + n, 5));
      ASSERT_NE(stack, kNoStack);
      const EntryId entry = table.Find(KeyOf(stack));
      ASSERT_NE(entry, kNoRoom);
      EXPECT_EQ(CountsOf(table, entry), Counts());
      table.Add(entry, {1, 1, 1});
    }
    table.Clear();
    EXPECT_EQ(table.entry_count(), 0u);
    EXPECT_EQ(table.Fullness(), 0);
  }
}

TEST(StackTableTest, ViewsOfTheSameMemoryAreTheSameTable) {
  TableMemory memory(kRoomy);
  StackTable writer = memory.Table();
  const StackId stack = writer.Intern(StackOf(1, 5));
  const EntryId entry = writer.Find(KeyOf(stack));
  writer.Add(entry, {1, 2, 3});
  StackTable reader = memory.Table();
  EXPECT_EQ(reader.entry_count(), 1u);
  EXPECT_EQ(reader.Intern(StackOf(1, 5)), stack);
  EXPECT_EQ(CountsOf(reader, entry), (Counts{1, 2, 3}));
}

}  // namespace
}  // namespace wallprof::stacks
