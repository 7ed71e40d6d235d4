// Many writers and readers of one stack table at once. Also run under the
// thread sanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "profiler/stacks/stack_table.h"
#include "tests/stacks/table_memory.h"

namespace wallprof::stacks {
namespace {

constexpr int kWriters = 8;
constexpr int kReaders = 2;
constexpr int kRounds = 20'000;
constexpr uint32_t kStacks = 500;
constexpr uint32_t kThreads = 3;

size_t DepthOf(uint32_t number) { return 1 + number % 40; }

// What one writer did, by stack and thread.
struct Ledger {
  std::map<std::pair<uint32_t, uint32_t>, int64_t> added;
  int64_t no_stack = 0;
  int64_t no_room = 0;
};

// Interns and counts stacks that all writers draw from.
Ledger Write(StackTable table, unsigned seed) {
  Ledger ledger;
  std::minstd_rand random(seed);
  for (int i = 0; i < kRounds; ++i) {
    const uint32_t number = random() % kStacks;
    SampleKey key;
    key.thread = random() % kThreads;
    key.stack = table.Intern(StackOf(number, DepthOf(number)));
    if (key.stack == kNoStack) {
      ++ledger.no_stack;
      continue;
    }
    const EntryId entry = table.Find(key);
    if (entry == kNoRoom) {
      ++ledger.no_room;
      continue;
    }
    table.Add(entry, {1, 2, 3});
    ++ledger.added[{number, key.thread}];
  }
  return ledger;
}

// Reads all entries over and over: what is there is whole, and counts grow.
void ReadUntil(const std::atomic<bool>& done, StackTable table) {
  std::vector<int64_t> last;
  while (!done) {
    last.resize(std::max<size_t>(last.size(), table.entry_count()));
    for (uint32_t i = 0; i < last.size(); ++i) {
      SampleKey key;
      Counts counts;
      if (!table.Read(EntryId{i}, key, counts)) continue;
      ASSERT_TRUE(IsWhole(table.Frames(key.stack)));
      ASSERT_LT(key.thread, kThreads);
      ASSERT_GE(counts.samples, last[i]);
      last[i] = counts.samples;
    }
  }
}

std::vector<Ledger> Race(TableMemory& memory) {
  std::vector<Ledger> ledgers(kWriters);
  std::vector<std::thread> writers, readers;
  std::atomic<bool> done{false};
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] { ReadUntil(done, memory.Table()); });
  }
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] { ledgers[i] = Write(memory.Table(), 1 + i); });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  for (std::thread& reader : readers) reader.join();
  return ledgers;
}

// What the table holds, by stack and thread; each must be there but once.
std::map<std::pair<uint32_t, uint32_t>, Counts> Contents(StackTable table) {
  std::map<std::pair<uint32_t, uint32_t>, Counts> contents;
  for (uint32_t i = 0; i < table.entry_count(); ++i) {
    SampleKey key;
    Counts counts;
    // False of an entry whose writer lost the race for its slot.
    if (!table.Read(EntryId{i}, key, counts)) continue;
    const absl::Span<const Frame> frames = table.Frames(key.stack);
    EXPECT_TRUE(IsWhole(frames));
    const auto number = static_cast<uint32_t>(frames[0].offset() / 1000);
    EXPECT_TRUE(contents.try_emplace({number, key.thread}, counts).second)
        << "stack " << number << " twice";
  }
  return contents;
}

// The ledgers' sum against the table's contents.
void ExpectExact(const std::vector<Ledger>& ledgers, TableMemory& memory) {
  std::map<std::pair<uint32_t, uint32_t>, Counts> expected;
  for (const Ledger& ledger : ledgers) {
    for (const auto& [key, n] : ledger.added) {
      expected[key] += Counts{n, 2 * n, 3 * n};
    }
  }
  auto contents = Contents(memory.Table());
  for (auto entry = contents.begin(); entry != contents.end();) {
    entry = entry->second == Counts() ? contents.erase(entry) : ++entry;
  }
  EXPECT_EQ(contents, expected);
}

TEST(StackTableRaceTest, SumsAreExactWithRoomForAll) {
  TableMemory memory({4096, 1024, 1 << 16});
  const std::vector<Ledger> ledgers = Race(memory);
  for (const Ledger& ledger : ledgers) {
    EXPECT_EQ(ledger.no_stack, 0);
    EXPECT_EQ(ledger.no_room, 0);
  }
  ExpectExact(ledgers, memory);
}

TEST(StackTableRaceTest, SumsAreExactWhenStacksRunOut) {
  TableMemory memory({4096, 128, 1 << 16});
  const std::vector<Ledger> ledgers = Race(memory);
  int64_t refused = 0;
  for (const Ledger& ledger : ledgers) refused += ledger.no_stack;
  EXPECT_GT(refused, 0);
  ExpectExact(ledgers, memory);
}

TEST(StackTableRaceTest, SumsAreExactWhenFramesRunOut) {
  TableMemory memory({4096, 1024, 2000});
  const std::vector<Ledger> ledgers = Race(memory);
  int64_t refused = 0;
  for (const Ledger& ledger : ledgers) refused += ledger.no_stack;
  EXPECT_GT(refused, 0);
  ExpectExact(ledgers, memory);
}

TEST(StackTableRaceTest, SumsAreExactWhenEntriesRunOut) {
  TableMemory memory({256, 1024, 1 << 16});
  const std::vector<Ledger> ledgers = Race(memory);
  int64_t refused = 0;
  for (const Ledger& ledger : ledgers) refused += ledger.no_room;
  EXPECT_GT(refused, 0);
  ExpectExact(ledgers, memory);
}

}  // namespace
}  // namespace wallprof::stacks
