#include "fleet/pgo/scrape/sending.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wallprof::pgo {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

class SendingTest : public ::testing::Test {
 protected:
  absl::Status Send(std::vector<absl::Status> answers,
                    absl::Duration patience = absl::Hours(1)) {
    size_t next = 0;
    return SendPatiently(
        [&] { return answers[std::min(next++, answers.size() - 1)]; },
        now_ + patience,
        {[this] { return now_; }, [this] { return random_; },
         [this](absl::Duration duration) {
           now_ += duration;
           waits_.push_back(duration);
           return waits_.size() < most_waits_;
         }},
        retries_);
  }

  absl::Time now_ = absl::UnixEpoch();
  double random_ = 0.5;
  size_t most_waits_ = 1000;
  std::vector<absl::Duration> waits_;
  int64_t retries_ = 0;
};

const absl::Status kAway = absl::UnavailableError("away");

TEST_F(SendingTest, WhatPassesIsTriedAgain) {
  EXPECT_TRUE(Send({kAway, kAway, kAway, absl::OkStatus()}).ok());
  EXPECT_EQ(retries_, 3);
  EXPECT_THAT(waits_,
              ElementsAre(absl::Milliseconds(375), absl::Milliseconds(750),
                          absl::Milliseconds(1500)));
}

TEST_F(SendingTest, WaitsArePartlyChanceAndBounded) {
  random_ = 0;
  EXPECT_EQ(Send({kAway}, absl::Minutes(2)), kAway);
  EXPECT_EQ(waits_.front(), absl::Milliseconds(250));
  EXPECT_EQ(waits_.back(), absl::Milliseconds(7500));
  EXPECT_LE(now_, absl::UnixEpoch() + absl::Minutes(2));
  EXPECT_THAT(retries_, static_cast<int64_t>(waits_.size()));
}

TEST_F(SendingTest, WhatDoesNotPassIsAnErrorAtOnce) {
  for (const absl::Status& status :
       {absl::InvalidArgumentError("no profile"),
        absl::PermissionDeniedError("no token"),
        absl::OutOfRangeError("too large"), absl::CancelledError("")}) {
    EXPECT_EQ(Send({status}), status);
  }
  EXPECT_THAT(waits_, ElementsAre());
  EXPECT_EQ(retries_, 0);
}

TEST_F(SendingTest, OnceAlsoWhereThereIsNoTimeLeft) {
  EXPECT_TRUE(Send({absl::OkStatus()}, -absl::Hours(1)).ok());
  EXPECT_EQ(Send({kAway, absl::OkStatus()}, absl::ZeroDuration()), kAway);
}

TEST_F(SendingTest, EndsWhereItIsNotWanted) {
  most_waits_ = 2;
  EXPECT_EQ(Send({kAway}), kAway);
  EXPECT_EQ(retries_, 1);
}

}  // namespace
}  // namespace wallprof::pgo
