#include "profiler/capture/stack_regions.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <string>
#include <thread>

#include "profiler/unwind/module_map.h"

namespace wallprof::capture {
namespace {

constexpr char kMaps[] =
    "400000-401000 r-xp 00000000 fe:01 1 /bin/demo\n"
    "401000-402000 rw-p 00001000 fe:01 1 /bin/demo\n"
    "700000000000-700000001000 ---p 00000000 00:00 0 \n"
    "700000001000-700000801000 rw-p 00000000 00:00 0 \n"
    "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]\n"
    "7ffc00022000-7ffc00024000 r-xp 00000000 00:00 0 [vdso]\n";

// A thread's stack of `size` bytes in hexadecimal, with or without a guard.
std::string SmallStack(const std::string& limit, bool guard) {
  return (guard ? "700001000000-700001001000 ---p 00000000 00:00 0 \n"
                : "700001000000-700001001000 r--p 00000000 00:00 0 \n") +
         std::string("700001001000-") + limit + " rw-p 00000000 00:00 0 \n";
}

TEST(StackRegionsTest, FindsTheWritableMapping) {
  StackRegions regions;
  regions.Update(kMaps);
  const StackRegion* thread = regions.Find(0x700000001000);
  ASSERT_NE(thread, nullptr);
  EXPECT_EQ(thread->start, 0x700000001000u);
  EXPECT_EQ(thread->limit, 0x700000801000u);
  EXPECT_EQ(thread->size(), 0x800000u);
  EXPECT_FALSE(thread->is_main);
  EXPECT_EQ(regions.Find(0x700000800fff), thread);
  EXPECT_NE(regions.Find(0x401000), nullptr) << "data may be a fiber's stack";
}

TEST(StackRegionsTest, KnowsTheMainThreadsStack) {
  StackRegions regions;
  regions.Update(kMaps);
  ASSERT_NE(regions.Find(0x7ffc00000000), nullptr);
  EXPECT_TRUE(regions.Find(0x7ffc00000000)->is_main);
}

TEST(StackRegionsTest, WhatCannotBeWrittenIsNoStack) {
  StackRegions regions;
  regions.Update(kMaps);
  for (const uint64_t address :
       {uint64_t{0}, uint64_t{0x400000}, uint64_t{0x700000000000},
        uint64_t{0x700000801000}, uint64_t{0x7ffc00022000}, ~uint64_t{0}}) {
    EXPECT_EQ(regions.Find(address), nullptr) << std::hex << address;
  }
  regions.Update("");
  EXPECT_EQ(regions.Find(0x401000), nullptr);
}

TEST(StackRegionsTest, SmallStacksAreToldByTheirGuard) {
  StackRegions regions;
  regions.Update(kMaps);
  EXPECT_FALSE(regions.has_small_stacks());
  regions.Update(kMaps + SmallStack("700001005000", true));  // 16 KiB
  EXPECT_TRUE(regions.has_small_stacks());
  regions.Update(kMaps + SmallStack("700001005000", false));
  EXPECT_FALSE(regions.has_small_stacks()) << "no guard, no stack";
  regions.Update(kMaps + SmallStack("700001011000", true));  // 64 KiB
  EXPECT_FALSE(regions.has_small_stacks()) << "large enough";
  regions.Update(kMaps + SmallStack("700001010000", true));  // a page less
  EXPECT_TRUE(regions.has_small_stacks());
}

TEST(StackRegionsTest, AReservationIsNoGuard) {
  constexpr char kArena[] =
      "600000000000-600000100000 ---p 00000000 00:00 0 \n"
      "600000100000-600000102000 rw-p 00000000 00:00 0 \n";
  constexpr char kLargerArena[] =
      "600000000000-600000101000 ---p 00000000 00:00 0 \n"
      "600000101000-600000103000 rw-p 00000000 00:00 0 \n";
  StackRegions regions;
  regions.Update(kArena);
  EXPECT_TRUE(regions.has_small_stacks()) << "the largest guard";
  regions.Update(kLargerArena);
  EXPECT_FALSE(regions.has_small_stacks());
}

TEST(StackRegionsTest, OfThisProcessHasItsThreads) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
  struct Shared {
    std::atomic<uint64_t> sp{0};
    std::atomic<uint32_t> go_on{0};
  } shared;
  StackRegions regions;
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* argument) -> void* {
                  auto* shared = static_cast<Shared*>(argument);
                  int local = 0;
                  shared->sp = reinterpret_cast<uint64_t>(&local);
                  shared->go_on.wait(0);
                  return nullptr;
                },
                &shared),
            0);
  while (shared.sp == 0) std::this_thread::yield();
  regions.Update(unwind::ReadMaps());
  int local = 0;
  ASSERT_NE(regions.Find(reinterpret_cast<uint64_t>(&local)), nullptr);
  EXPECT_TRUE(regions.Find(reinterpret_cast<uint64_t>(&local))->is_main);
  const StackRegion* small = regions.Find(shared.sp);
  ASSERT_NE(small, nullptr);
  EXPECT_FALSE(small->is_main);
#ifndef __SANITIZE_THREAD__  // which makes stacks larger
  EXPECT_LT(small->size(), kMinInterruptibleStack);
  EXPECT_TRUE(regions.has_small_stacks());
#endif
  shared.go_on = 1;
  shared.go_on.notify_all();
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace
}  // namespace wallprof::capture
