#include "profiler/symbolize/name_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace wallprof::symbolize {
namespace {

// A module with `count` names of about a hundred bytes.
void Fill(ModuleNames& names, int count) {
  for (int i = 0; i < count; ++i) {
    names.Add(i, {{absl::StrCat(std::string(100, 'f'), i)}});
  }
}

TEST(ModuleNamesTest, WhatWasAddedIsFound) {
  ModuleNames names;
  EXPECT_TRUE(names.Find(16).empty());
  names.Add(16, {{"_Z3addi", true, "/src/add.h", 7, 5},
                 {"_Z3runv", true, "/src/run.cc", 12, 10}});
  names.Add(32, {{"libx.so+0x20", /*found=*/false}});
  const auto inlined = names.Find(16);
  ASSERT_EQ(inlined.size(), 2u);
  EXPECT_EQ(inlined[0].function->name, "add(int)");
  EXPECT_EQ(inlined[0].line, 7);
  EXPECT_EQ(inlined[1].function->name, "run()");
  EXPECT_EQ(inlined[1].function->system_name, "_Z3runv");
  EXPECT_EQ(inlined[1].function->filename, "/src/run.cc");
  EXPECT_EQ(inlined[1].function->start_line, 10);
  EXPECT_EQ(inlined[1].line, 12);
  EXPECT_TRUE(inlined[1].function->found);
  ASSERT_EQ(names.Find(32).size(), 1u);
  EXPECT_EQ(names.Find(32)[0].function->name, "libx.so+0x20");
  EXPECT_FALSE(names.Find(32)[0].function->found);
}

TEST(ModuleNamesTest, AFunctionIsStoredOnce) {
  ModuleNames names;
  names.Add(0, {{"_Z3runv"}});
  const FunctionName* first = names.Find(0)[0].function;
  Fill(names, 1000);
  names.Add(5000, {{"_Z3runv"}});
  EXPECT_EQ(names.Find(5000)[0].function, first);
}

TEST(ModuleNamesTest, FunctionsOfOneNameInDifferentFilesAreParted) {
  ModuleNames names;
  names.Add(0, {{"helper", true, "a.c", 1, 1}});
  names.Add(1, {{"helper", true, "b.c", 1, 1}});
  EXPECT_NE(names.Find(0)[0].function, names.Find(1)[0].function);
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
  EXPECT_FALSE(cache.Module("a").Find(9).empty());
  EXPECT_TRUE(cache.Module("b").Find(9).empty());
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
  EXPECT_FALSE(cache.Module("a").Find(0).empty());
  EXPECT_FALSE(cache.Module("last").Find(0).empty());
  EXPECT_TRUE(cache.Module("1").Find(0).empty());
}

TEST(NameCacheTest, AModuleLargerThanTheBoundIsNotKept) {
  NameCache cache(1000);
  Fill(cache.Module("a"), 1000);
  cache.Trim();
  EXPECT_EQ(cache.bytes(), 0u);
}

}  // namespace
}  // namespace wallprof::symbolize
