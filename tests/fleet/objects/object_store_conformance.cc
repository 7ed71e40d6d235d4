#include "tests/fleet/objects/object_store_conformance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/time/clock.h"

namespace wallprof {
namespace {

using ::testing::ElementsAre;

constexpr size_t kMany = size_t{64} << 20;

std::vector<std::string> KeysOf(
    const absl::StatusOr<std::vector<ObjectInfo>>& objects) {
  EXPECT_TRUE(objects.ok()) << objects.status();
  std::vector<std::string> keys;
  if (!objects.ok()) return keys;
  for (const ObjectInfo& object : *objects) keys.push_back(object.key);
  return keys;
}

std::string RandomBytes(size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST(ObjectStoreConformanceTest, WhatWasPutIsGot) {
  const auto store = OpenStore("got");
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{70'000}, size_t{8} << 20}) {
    const std::string bytes = RandomBytes(size);
    ASSERT_EQ(store->Put("object", bytes), absl::OkStatus());
    const auto got = store->Get("object", kMany);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_TRUE(*got == bytes) << size;
  }
}

TEST(ObjectStoreConformanceTest, PartsOfAnObject) {
  const auto store = OpenStore("parts");
  const std::string bytes = RandomBytes(70'000);
  ASSERT_EQ(store->Put("a b/object", bytes), absl::OkStatus());
  const auto part = [&](int64_t offset, int64_t count) {
    const auto got = store->GetRange("a b/object", offset, count);
    EXPECT_TRUE(got.ok()) << got.status();
    return got.value_or("");
  };
  // There are servers that take "bytes=0-0" for all of it.
  EXPECT_TRUE(part(0, 1) == bytes.substr(0, 1));
  EXPECT_TRUE(part(0, 2) == bytes.substr(0, 2));
  EXPECT_TRUE(part(1, 1) == bytes.substr(1, 1));
  EXPECT_TRUE(part(12'345, 50'000) == bytes.substr(12'345, 50'000));
  EXPECT_TRUE(part(69'999, 5) == bytes.substr(69'999)) << "what there is";
  EXPECT_TRUE(part(0, 1'000'000) == bytes);
  EXPECT_EQ(store->GetRange("a b/object", 70'000, 1).status().code(),
            absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(absl::IsNotFound(store->GetRange("none", 0, 1).status()));
}

TEST(ObjectStoreConformanceTest, DeletedOnesAreNotFound) {
  const auto store = OpenStore("deleted");
  ASSERT_EQ(store->Put("object", "bytes"), absl::OkStatus());
  EXPECT_EQ(store->Delete("object"), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(store->Get("object", kMany).status()));
  EXPECT_EQ(store->Delete("object"), absl::OkStatus()) << "again";
}

// But for an apostrophe, which this server's listings have escaped twice.
TEST(ObjectStoreConformanceTest, KeysOfManyKinds) {
  const auto store = OpenStore("kinds");
  const std::vector<std::string> keys = {"a=b,c", "plus+and space", "star*(1)!",
                                         "tilde~", "\xc3\xa9/\xe2\x82\xac"};
  for (const std::string& key : keys) {
    ASSERT_EQ(store->Put(key, key), absl::OkStatus());
    EXPECT_EQ(store->Get(key, kMany).value_or(""), key);
  }
  EXPECT_THAT(KeysOf(store->List("", "", 100)),
              ::testing::UnorderedElementsAreArray(keys));
}

TEST(ObjectStoreConformanceTest, ListsInPages) {
  const auto store = OpenStore("pages");
  for (const char* key : {"a/1", "a/2", "a/3", "ab", "b/1"}) {
    ASSERT_EQ(store->Put(key, "12345"), absl::OkStatus());
  }
  EXPECT_THAT(KeysOf(store->List("a/", "", 2)), ElementsAre("a/1", "a/2"));
  EXPECT_THAT(KeysOf(store->List("a/", "a/2", 2)), ElementsAre("a/3"));
  EXPECT_THAT(KeysOf(store->List("a/", "a/3", 2)), ElementsAre());
  const auto found = store->List("b", "", 10);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->at(0).bytes, 5);
  EXPECT_LT(absl::AbsDuration(found->at(0).modified - absl::Now()),
            absl::Minutes(10));
}

}  // namespace
}  // namespace wallprof
