#include "cli/progress_bar.h"

#include <gtest/gtest.h>

namespace wallprof::cli {
namespace {

TEST(ProgressBarTest, FillsInProportion) {
  EXPECT_EQ(ProgressLine(absl::ZeroDuration(), absl::Seconds(10)),
            "[                                        ] 0 of 10 s");
  EXPECT_EQ(ProgressLine(absl::Seconds(5), absl::Seconds(10)),
            "[====================                    ] 5 of 10 s");
}

TEST(ProgressBarTest, StaysFullWhenTheAnswerIsLate) {
  EXPECT_EQ(ProgressLine(absl::Seconds(99), absl::Seconds(2.5)),
            "[========================================] 2 of 2.5 s");
}

}  // namespace
}  // namespace wallprof::cli
