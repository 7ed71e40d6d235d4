#include "fleet/bundle/heap_statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "wallprof/bundle.h"

namespace wallprof::bundle {
namespace {

using ::testing::HasSubstr;

TEST(HeapStatisticsTest, AreThoseOfLibc) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "malloc is the sanitizer's";
#endif
  constexpr size_t kBytes = 5 << 20;
  const auto block = std::make_unique<char[]>(kBytes);
  const absl::StatusOr<std::string> text =
      BundleOptions::HeapStatisticsOfLibc();
  ASSERT_TRUE(text.ok()) << text.status();
  const nlohmann::json heap = nlohmann::json::parse(*text);
  EXPECT_EQ(heap["allocator"], "glibc");
  EXPECT_GE(heap["used_bytes"], kBytes);
  EXPECT_GE(heap["mapped_bytes"], kBytes);
}

// This thread's CPU time, whatever else the machine does.
void Burn(absl::Duration time) {
  timespec begin;
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  do {
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  } while (absl::DurationFromTimespec(now) -
               absl::DurationFromTimespec(begin) <=
           time);
}

TEST(HeapStatisticsTest, AreNotAskedForAgainOnceThatTookLong) {
  int asked = 0;
  HeapStatistics heap([&asked] {
    ++asked;
    Burn(HeapStatistics::kMost);
    struct mallinfo2 info = {};
    info.uordblks = 7;
    return info;
  });
  const absl::StatusOr<std::string> first = heap.Read();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(nlohmann::json::parse(*first)["used_bytes"], 7);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(std::string(heap.Read().status().message()),
                HasSubstr("it is not asked again"));
  }
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace wallprof::bundle
