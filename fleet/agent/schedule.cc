#include "fleet/agent/schedule.h"

#include <algorithm>
#include <memory>
#include <random>

namespace wallprof::agent {
namespace {

// As profefe's agent has it before each profile.
constexpr absl::Duration kShortestPause = absl::Seconds(1);
constexpr absl::Duration kLongestPause = absl::Seconds(9);

// Of the interval, where that is shorter than a minute.
constexpr double kPauseShare = 0.15;

// Less would leave hundreds of programs in step for hours; more would make the
// interval a lie.
constexpr double kJitter = 0.1;

}  // namespace

Random NewRandom() {
  return [engine = std::make_shared<std::minstd_rand>(std::random_device()())] {
    return std::uniform_real_distribution<double>()(*engine);
  };
}

absl::Duration Schedule::First() const {
  const absl::Duration longest =
      std::min(kLongestPause, interval_ * kPauseShare);
  const absl::Duration shortest = std::min(kShortestPause, longest / 9);
  return shortest + (longest - shortest) * random_();
}

absl::Duration Schedule::Next() const {
  return interval_ * (1 - kJitter + 2 * kJitter * random_());
}

}  // namespace wallprof::agent
