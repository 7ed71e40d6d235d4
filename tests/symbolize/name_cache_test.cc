#include "profiler/symbolize/name_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace wallprof::symbolize {
namespace {

// A module with `count` names of about a hundred bytes.
void Fill(ModuleNames& names, int count) {
  for (int i = 0; i < count; ++i) {
    names.AddSymbol(i, absl::StrCat(std::string(100, 'f'), i));
  }
}

TEST(ModuleNamesTest, WhatWasAddedIsFound) {
  ModuleNames names;
  EXPECT_EQ(names.Find(16), nullptr);
  names.AddSymbol(16, "_Z3runv");
  names.Add(32, {"libx.so+0x20", "libx.so+0x20", false});
  ASSERT_NE(names.Find(16), nullptr);
  EXPECT_EQ(names.Find(16)->name, "run()");
  EXPECT_EQ(names.Find(16)->system_name, "_Z3runv");
  EXPECT_TRUE(names.Find(16)->in_symbol_table);
  ASSERT_NE(names.Find(32), nullptr);
  EXPECT_EQ(names.Find(32)->name, "libx.so+0x20");
  EXPECT_FALSE(names.Find(32)->in_symbol_table);
}

TEST(ModuleNamesTest, AFunctionIsStoredOnce) {
  ModuleNames names;
  names.AddSymbol(0, "_Z3runv");
  const FunctionName* first = names.Find(0);
  Fill(names, 1000);
  names.AddSymbol(5000, "_Z3runv");
  EXPECT_EQ(names.Find(5000), first);
}

TEST(ModuleNamesTest, BytesCoverTheNames) {
  ModuleNames names;
  const size_t empty = names.bytes();
  Fill(names, 1000);
  EXPECT_GE(names.bytes(), empty + 1000 * 2 * 100);
  EXPECT_LT(names.bytes(), empty + 1000 * 1000);
}

TEST(NameCacheTest, AModuleKeepsItsNames) {
  NameCache cache(1 << 20);
  Fill(cache.Module("a"), 10);
  cache.Trim();
  EXPECT_NE(cache.Module("a").Find(9), nullptr);
  EXPECT_EQ(cache.Module("b").Find(9), nullptr);
}

TEST(NameCacheTest, TheModuleUsedLongestAgoGoesFirst) {
  NameCache cache(1 << 20);
  Fill(cache.Module("a"), 1000);
  const size_t one = cache.bytes();
  const int fit = (1 << 20) / one;
  for (int i = 1; i < fit; ++i) Fill(cache.Module(std::to_string(i)), 1000);
  cache.Module("a");
  Fill(cache.Module("last"), 1000);
  cache.Trim();
  EXPECT_LE(cache.bytes(), size_t{1} << 20);
  EXPECT_NE(cache.Module("a").Find(0), nullptr);
  EXPECT_NE(cache.Module("last").Find(0), nullptr);
  EXPECT_EQ(cache.Module("1").Find(0), nullptr);
}

TEST(NameCacheTest, AModuleLargerThanTheBoundIsNotKept) {
  NameCache cache(1000);
  Fill(cache.Module("a"), 1000);
  cache.Trim();
  EXPECT_EQ(cache.bytes(), 0u);
}

}  // namespace
}  // namespace wallprof::symbolize
