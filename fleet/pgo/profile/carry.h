// Parts of numbers made whole.
#ifndef WALLPROF_FLEET_PGO_PROFILE_CARRY_H_
#define WALLPROF_FLEET_PGO_PROFILE_CARRY_H_

#include <cstdint>
#include <limits>

namespace wallprof::pgo {

// Of a long row of fractions over one denominator, whole numbers: what one
// leaves over goes to the next, so that each is less than one off and so is
// their sum. Rounding each by itself would lose all that is small.
class Carry {
 public:
  using Wide = unsigned __int128;

  // Above 0. The first carry is a half, so that a single number is rounded.
  explicit Carry(Wide denominator)
      : denominator_(denominator), left_(denominator / 2) {}

  // Of `numerator` / denominator. Stops at the end of int64's range.
  int64_t Next(Wide numerator) {
    const Wide all = numerator + left_;
    left_ = all % denominator_;
    const Wide whole = all / denominator_;
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    return whole > static_cast<Wide>(kMost) ? kMost
                                            : static_cast<int64_t>(whole);
  }

 private:
  Wide denominator_;
  Wide left_;  // below the denominator
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_CARRY_H_
