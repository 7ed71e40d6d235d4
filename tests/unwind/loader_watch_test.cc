#include "profiler/unwind/loader_watch.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>

#include <atomic>
#include <thread>

#include "profiler/unwind/libunwind.h"

namespace wallprof::unwind {
namespace {

uint64_t LoaderAdded() {
  uint64_t added = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        *static_cast<uint64_t*>(out) = info->dlpi_adds;
        return 1;
      },
      &added);
  return added;
}

LoaderWatch Watch() {
  return LoaderWatch::Find([] { ASSERT_TRUE(LibUnwind::Load().ok()); });
}

TEST(LoaderWatchTest, FindsTheCount) {
  const LoaderWatch watch = Watch();
  ASSERT_TRUE(watch.found());
  EXPECT_EQ(watch.added(), LoaderAdded());
}

TEST(LoaderWatchTest, IsUnsettledWhileOthersLoad) {
  const LoaderWatch watch = Watch();
  EXPECT_TRUE(watch.settled());
  std::atomic<bool> done{false};
  std::thread loading([&] {
    while (!done) {
      if (void* library = dlopen(GENERATION_A, RTLD_NOW | RTLD_LOCAL)) {
        dlclose(library);
      }
    }
  });
  while (watch.settled()) {
  }
  while (!watch.settled()) {
  }
  done = true;
  loading.join();
  EXPECT_TRUE(watch.settled());
}

TEST(LoaderWatchTest, SeesWhatIsLoaded) {
  const LoaderWatch watch = Watch();
  ASSERT_TRUE(watch.found());
  const uint64_t before = watch.added();
  void* library = dlopen(GENERATION_A, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  EXPECT_EQ(watch.added(), before + 1);
  EXPECT_EQ(watch.added(), LoaderAdded());
  void* again = dlopen(GENERATION_A, RTLD_NOW | RTLD_LOCAL);
  EXPECT_EQ(watch.added(), before + 1) << "it was loaded already";
  dlclose(again);
  dlclose(library);
  EXPECT_EQ(watch.added(), before + 1) << "it counts what was ever added";
  library = dlopen(GENERATION_B, RTLD_NOW | RTLD_LOCAL);
  EXPECT_EQ(watch.added(), before + 2);
  dlclose(library);
}

TEST(LoaderWatchTest, LaterOnesReuseWhatTheFirstFound) {
  ASSERT_TRUE(Watch().found());
  // Nothing new is loaded, so nothing could be learnt from it.
  const LoaderWatch second = LoaderWatch::Find([] {});
  ASSERT_TRUE(second.found());
  EXPECT_EQ(second.added(), LoaderAdded());
}

TEST(LoaderWatchTest, WithoutACountThereIsNone) {
  EXPECT_FALSE(LoaderWatch().found());
  EXPECT_EQ(LoaderWatch().added(), 0u);
}

}  // namespace
}  // namespace wallprof::unwind
