#include "profiler/profile/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wallprof {
namespace {

TEST(LabelsTest, SortsStringsBeforeNumbersAndByKey) {
  std::vector<Label> labels = {
      {"a", "", 1}, {"z", "text"}, {"b", "text"}, {"0", "", 2}};
  SortLabels(labels);
  EXPECT_THAT(labels,
              testing::ElementsAre(Label{"b", "text"}, Label{"z", "text"},
                                   Label{"0", "", 2}, Label{"a", "", 1}));
}

TEST(LabelsTest, ValuesOfOneKeyKeepTheirOrder) {
  std::vector<Label> labels = {{"k", "second"}, {"k", "first"}, {"a", "x"}};
  SortLabels(labels);
  EXPECT_THAT(labels,
              testing::ElementsAre(Label{"a", "x"}, Label{"k", "second"},
                                   Label{"k", "first"}));
}

TEST(LabelsTest, TextIsThatOfTheStringLabelOnly) {
  Sample sample;
  sample.labels = {{"thread", "", 7}, {"thread", "worker"}};
  EXPECT_EQ(LabelText(sample, "thread"), "worker");
  EXPECT_EQ(LabelText(sample, "tid"), "");
}

}  // namespace
}  // namespace wallprof
