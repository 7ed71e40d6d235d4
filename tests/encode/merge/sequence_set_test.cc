#include "profiler/encode/merge/sequence_set.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "profiler/encode/merge/sequence_batch.h"

namespace wallprof {
namespace {

TEST(SequenceSetTest, NumbersEachSequenceOnce) {
  SequenceSet set;
  EXPECT_EQ(set.Find("a"), FlatIndex::kNone);
  set.Reserve(3, 3);
  EXPECT_EQ(set.Add("a"), 0u);
  EXPECT_EQ(set.Add(""), 1u);
  EXPECT_EQ(set.Add("ab"), 2u);
  EXPECT_EQ(set.Add("a"), 0u);
  EXPECT_EQ(set.size(), 3u);
  EXPECT_EQ(set.Find("ab"), 2u);
  EXPECT_EQ(set.BytesAt(1), "");
  EXPECT_EQ(set.BytesAt(2), "ab");
}

TEST(SequenceSetTest, TellsApartWhatHashesAlike) {
  SequenceSet set;
  set.Reserve(3, 3);
  constexpr uint32_t kHash = 5;
  EXPECT_EQ(set.Add("a", kHash), 0u);
  EXPECT_EQ(set.Add("b", kHash), 1u);
  EXPECT_EQ(set.Add("c", kHash), 2u);
  EXPECT_EQ(set.Add("b", kHash), 1u);
}

// Functions without file and line are such words: all but the first are 0.
TEST(HashBytesTest, ZerosHideNothing) {
  for (const size_t words : {2, 3, 4, 5, 6, 8, 10, 16, 20}) {
    for (size_t place = 0; place < words; ++place) {
      std::set<uint32_t> hashes;
      for (uint32_t value = 0; value < 1000; ++value) {
        std::vector<uint32_t> sequence(words);
        sequence[place] = value;
        hashes.insert(HashBytes(BytesOf(sequence)));
      }
      // Of 32 bits a thousand hardly ever have two alike.
      EXPECT_GT(hashes.size(), 990u) << place << " of " << words;
    }
  }
}

TEST(SequenceSetTest, TakesTheMemoryThatItSaidItWould) {
  SequenceSet set;
  for (size_t more : {1, 10, 1000, 3}) {
    const size_t bytes = set.BytesWith(more, 2 * more);
    set.Reserve(more, 2 * more);
    EXPECT_EQ(set.bytes(), bytes);
    for (size_t i = 0; i < more; ++i) {
      const uint32_t words[] = {static_cast<uint32_t>(more),
                                static_cast<uint32_t>(i)};
      set.Add(Words(words));
    }
    EXPECT_EQ(set.bytes(), bytes);
  }
  EXPECT_GT(set.BytesWith(size_t{1} << 32, 0), size_t{1} << 35);
}

// Some of the bytes are given, some written to the batch.
TEST(SequenceBatchTest, AddsInOrder) {
  std::mt19937 random(1);
  std::vector<std::string> strings;
  for (int i = 0; i < 1000; ++i) {
    strings.push_back(std::string(4 * (random() % 30), 'a' + random() % 3));
  }
  SequenceSet set;
  set.Reserve(strings.size(), 30 * strings.size());
  std::vector<uint32_t> numbers;
  SequenceBatch batch(set, [&](absl::Span<const AddedSequence> added) {
    for (AddedSequence sequence : added) {
      EXPECT_EQ(sequence.tag, numbers.size());
      numbers.push_back(sequence.number);
    }
  });
  for (uint32_t i = 0; i < strings.size(); ++i) {
    if (random() % 2 == 0) {
      batch.Push(i, strings[i]);
      continue;
    }
    uint32_t* room = batch.Room(strings[i].size() / sizeof(*room));
    std::copy(strings[i].begin(), strings[i].end(),
              reinterpret_cast<char*>(room));
    batch.PushWritten(i);
  }
  batch.Flush();
  ASSERT_EQ(numbers.size(), strings.size());
  std::map<std::string, uint32_t> expected;
  for (size_t i = 0; i < strings.size(); ++i) {
    auto [known, is_new] = expected.try_emplace(strings[i], expected.size());
    EXPECT_EQ(numbers[i], known->second);
    EXPECT_EQ(set.BytesAt(numbers[i]), strings[i]);
  }
}

}  // namespace
}  // namespace wallprof
