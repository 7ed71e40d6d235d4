#include "fleet/agent/sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/fleet/agent/simulated.h"

namespace wallprof::agent {
namespace {

using Fault = SimulatedCollector::Fault;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

constexpr absl::Duration kMinute = absl::Minutes(1);

class SenderTest : public ::testing::Test {
 protected:
  std::vector<std::string> StoredIds() const {
    std::vector<std::string> ids;
    for (const auto& profile : collector_.stored) ids.push_back(profile.id);
    return ids;
  }

  // Each profile is in exactly one place.
  static void ExpectBalanced(const AgentStatistics& s) {
    EXPECT_EQ(s.taken + s.adopted,
              s.sent + s.waiting + s.left + s.lost.failed + s.lost.empty +
                  s.lost.refused + s.lost.overflow + s.lost.expired +
                  s.lost.unknown + s.lost.corrupt + s.lost.stopped);
  }

  SimulatedClock clock_;
  SimulatedCollector collector_;
  TestDirectory directory_;
};

// --- a collector that is away for an hour ------------------------------------

// Two profiles a minute for two hours; away in between, and not always in the
// same way.
class HourTest : public SenderTest {
 protected:
  std::vector<std::string> RunTwoHours(SimulatedAgent& agent,
                                       const std::function<void()>& check) {
    std::vector<std::string> ids;
    for (int minute = 0; minute < 120; ++minute) {
      // The connection breaks when the answer is due; then there is none.
      if (minute == 10) collector_.faults = {Fault::kLost};
      if (minute == 11) collector_.fault = Fault::kNoConnection;
      if (minute == 30) collector_.fault = Fault::kDropped;
      if (minute == 50) collector_.fault = Fault::kError;
      if (minute == 70) collector_.fault = Fault::kNone;
      for (const char* type : {"cpu", "heap"}) {
        ids.push_back(agent.Put(type, 1000));
      }
      agent.RunFor(kMinute);
      check();
    }
    agent.RunFor(10 * kMinute);
    return ids;
  }
};

TEST_F(HourTest, NothingIsLostNorSentTwiceAndOrderIsKept) {
  SimulatedAgent agent(clock_, collector_, Spooled(directory_.path()));
  const std::vector<std::string> ids = RunTwoHours(agent, [] {});
  EXPECT_THAT(StoredIds(), ElementsAreArray(ids));
  const AgentStatistics stats = agent.tally.Get();
  EXPECT_EQ(stats.sent, 240);
  EXPECT_EQ(stats.confirmed, 1) << "the one whose answer was lost";
  EXPECT_EQ(stats.waiting, 0);
  ExpectBalanced(stats);
  EXPECT_THAT(directory_.Files(".parcel"), IsEmpty());
  // Once in two minutes, not more often.
  EXPECT_LT(stats.attempts, 240 + 60);
}

TEST_F(HourTest, ASpoolThatIsTooSmallKeepsTheNewestAndCountsTheRest) {
  OutboxOptions options = Spooled(directory_.path());
  options.spool_bytes = 40'000;
  SimulatedAgent agent(clock_, collector_, options);
  int64_t largest = 0;
  const std::vector<std::string> ids = RunTwoHours(
      agent, [&] { largest = std::max(largest, directory_.Bytes()); });
  EXPECT_LE(largest, options.spool_bytes);
  EXPECT_GT(largest, options.spool_bytes / 2);
  const AgentStatistics stats = agent.tally.Get();
  EXPECT_GT(stats.lost.overflow, 0);
  EXPECT_EQ(stats.sent + stats.lost.overflow, 240);
  ExpectBalanced(stats);
  // What arrived is in order, and the last of what was taken.
  const std::vector<std::string> stored = StoredIds();
  size_t at = 0;
  for (const std::string& id : ids) {
    if (at < stored.size() && stored[at] == id) ++at;
  }
  EXPECT_EQ(at, stored.size());
  EXPECT_EQ(stored.back(), ids.back());
}

TEST_F(HourTest, WithoutASpoolMemoryIsBounded) {
  OutboxOptions options = InMemory();
  options.memory_bytes = 20'000;
  SimulatedAgent agent(clock_, collector_, options);
  int64_t most = 0;
  RunTwoHours(agent, [&] { most = std::max(most, agent.tally.Get().waiting); });
  EXPECT_EQ(most, 20);
  ExpectBalanced(agent.tally.Get());
}

TEST_F(HourTest, WhatOneProgramLeavesTheNextSends) {
  std::vector<std::string> ids;
  collector_.fault = Fault::kDropped;
  for (int start = 0; start < 4; ++start) {
    SimulatedAgent agent(clock_, collector_, Spooled(directory_.path()));
    EXPECT_EQ(agent.tally.Get().adopted, start * 10);
    for (int minute = 0; minute < 10; ++minute) {
      ids.push_back(agent.Put());
      agent.RunFor(kMinute);
    }
    agent.outbox.Close();
    EXPECT_EQ(agent.tally.Get().left, (start + 1) * 10);
    ExpectBalanced(agent.tally.Get());
  }
  EXPECT_THAT(collector_.stored, IsEmpty());
  collector_.fault = Fault::kNone;
  SimulatedAgent agent(clock_, collector_, Spooled(directory_.path()));
  agent.RunFor(kMinute);
  EXPECT_THAT(StoredIds(), ElementsAreArray(ids));
  ExpectBalanced(agent.tally.Get());
}

// --- single faults -----------------------------------------------------------

TEST_F(SenderTest, WaitsLongerAfterEachFailureUpToTwoMinutes) {
  SimulatedAgent agent(clock_, collector_, InMemory());
  collector_.fault = Fault::kNoConnection;
  agent.Put();
  std::vector<absl::Duration> waits;
  for (int i = 0; i < 40; ++i) {
    const absl::Time next = agent.sender.Step();
    waits.push_back(next - clock_.Steady());
    clock_.Advance(waits.back());
  }
  // A tenth less on average than profefe's, so that agents part.
  EXPECT_EQ(waits[0], absl::Seconds(4.5));
  EXPECT_EQ(waits[1], absl::Seconds(9));
  EXPECT_EQ(waits[39], absl::Seconds(108));
  collector_.fault = Fault::kNone;
  agent.RunFor(kMinute);
  EXPECT_EQ(agent.tally.Get().sent, 1);
  EXPECT_EQ(agent.tally.Get().last_error, "");
}

TEST_F(SenderTest, KeepsTheBodyWholeForEachAttempt) {
  SimulatedAgent agent(clock_, collector_, Spooled(directory_.path()));
  collector_.faults = {Fault::kError, Fault::kNoConnection, Fault::kError};
  agent.Put("cpu", 12345);
  agent.RunFor(5 * kMinute);
  ASSERT_EQ(collector_.stored.size(), 1);
  EXPECT_EQ(collector_.stored[0].body, std::string(12345, 'x'));
}

TEST_F(SenderTest, RefusalsAreNotRepeatedAndSayWhy) {
  SimulatedAgent agent(clock_, collector_, InMemory());
  collector_.faults = {Fault::kTooLarge};
  agent.Put();
  const std::string second = agent.Put();
  agent.RunFor(kMinute);
  EXPECT_THAT(StoredIds(), ElementsAreArray({second}));
  EXPECT_EQ(agent.tally.Get().lost.refused, 1);
  EXPECT_TRUE(absl::StrContains(agent.log[0], "event=refused")) << agent.log[0];
  EXPECT_TRUE(absl::StrContains(agent.log[0], "too large")) << agent.log[0];
}

TEST_F(SenderTest, RetryAfterIsObeyed) {
  SimulatedAgent agent(clock_, collector_, InMemory());
  collector_.faults = {Fault::kThrottled};
  agent.Put();
  EXPECT_EQ(agent.sender.Step() - clock_.Steady(), absl::Minutes(10));
  agent.RunFor(9 * kMinute);
  EXPECT_EQ(agent.tally.Get().attempts, 1);
  agent.RunFor(2 * kMinute);
  EXPECT_EQ(agent.tally.Get().sent, 1);
}

TEST_F(SenderTest, WhatMayHaveArrivedIsAskedForFirst) {
  for (const Fault fault :
       {Fault::kLost, Fault::kDropped, Fault::kGateway, Fault::kWebPage}) {
    SimulatedAgent agent(clock_, collector_, InMemory());
    collector_.stored.clear();
    collector_.faults = {fault};
    agent.Put();
    agent.RunFor(kMinute);
    EXPECT_EQ(collector_.stored.size(), 1);
    EXPECT_EQ(agent.tally.Get().confirmed, fault == Fault::kLost ? 1 : 0);
    ExpectBalanced(agent.tally.Get());
    clock_.Advance(kMinute);
  }
}

TEST_F(SenderTest, WhereNobodyCanSayItIsNotSentTwice) {
  SimulatedAgent agent(clock_, collector_, InMemory());
  collector_.can_list = false;
  collector_.faults = {Fault::kLost, Fault::kNone};
  agent.Put();
  const std::string second = agent.Put("heap");
  agent.RunFor(kMinute);
  EXPECT_EQ(collector_.stored.size(), 2);
  EXPECT_EQ(agent.tally.Get().lost.unknown, 1);
  EXPECT_EQ(agent.tally.Get().sent, 1);
}

TEST_F(SenderTest, ACollectorThatIsStillAtWorkIsNotAskedAtOnce) {
  {
    SimulatedAgent agent(clock_, collector_, Spooled(directory_.path()));
    collector_.faults = {Fault::kDropped};
    agent.Put();
    agent.sender.Step();
    agent.outbox.Close();
  }
  SimulatedAgent next(clock_, collector_, Spooled(directory_.path()));
  const size_t before = collector_.requests.size();
  EXPECT_GT(next.sender.Step(), clock_.Steady());
  EXPECT_EQ(collector_.requests.size(), before);
  next.RunFor(kMinute);
  EXPECT_EQ(next.tally.Get().sent, 1);
}

TEST_F(SenderTest, OneThatIsNeverTakenDoesNotKeepTheOthersWaiting) {
  SimulatedAgent agent(clock_, collector_, Spooled(directory_.path()));
  const std::string poison = agent.Put();
  collector_.fault_of[poison] = Fault::kError;
  std::vector<std::string> others;
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(kMinute);
    others.push_back(agent.Put());
  }
  agent.RunFor(absl::Hours(1));
  EXPECT_THAT(StoredIds(), ElementsAreArray(others));
  EXPECT_EQ(agent.tally.Get().lost.refused, 1);
  ExpectBalanced(agent.tally.Get());
}

TEST_F(SenderTest, WhatIsTooOldIsDropped) {
  SimulatedAgent agent(clock_, collector_, Spooled(directory_.path()));
  collector_.fault = Fault::kNoConnection;
  agent.Put();
  agent.RunFor(absl::Hours(23));
  EXPECT_EQ(agent.tally.Get().lost.expired, 0);
  agent.RunFor(absl::Hours(2));
  EXPECT_EQ(agent.tally.Get().lost.expired, 1);
  EXPECT_THAT(directory_.Files(""), ::testing::SizeIs(1)) << "the lock";
}

TEST_F(SenderTest, AClockThatIsSetChangesNoWait) {
  SimulatedAgent agent(clock_, collector_, InMemory());
  collector_.faults = {Fault::kNoConnection};
  agent.Put();
  agent.sender.Step();
  clock_.Set(clock_.Now() - absl::Hours(5));
  agent.RunFor(kMinute);
  EXPECT_EQ(agent.tally.Get().sent, 1);
}

}  // namespace
}  // namespace wallprof::agent
