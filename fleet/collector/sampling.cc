#include "fleet/collector/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"

namespace wallprof::collector {
namespace {

// A client that has left is noticed within some milliseconds.
constexpr int64_t kAskEvery = 1024;

// Series are numbered as they are seen.
class SeriesNumbers {
 public:
  // The number, from 0 on.
  size_t Of(const store::Series& series) {
    return numbers_
        .try_emplace(absl::HashOf(series.service, series.type, series.labels),
                     numbers_.size())
        .first->second;
  }

 private:
  // By hash: two series that share one, once in 2^64, share their places too.
  absl::flat_hash_map<uint64_t, size_t> numbers_;
};

uint64_t SeedOf(const store::Query& query) {
  uint64_t seed =
      absl::ToUnixSeconds(query.from) * 31 + absl::ToUnixSeconds(query.to);
  // Not absl::HashOf, whose results differ from one process to the next.
  for (const store::Matcher& matcher : query.selector.matchers()) {
    for (const char c : matcher.name + matcher.value) {
      seed = seed * 1099511628211u + static_cast<unsigned char>(c);
    }
  }
  return seed;
}

// Which members of a stratum are taken.
class Steps {
 public:
  // `places` of `count`, from a random place within the first step on.
  Steps(int64_t count, int64_t places, double start)
      : step_(places == 0 ? 0 : static_cast<double>(count) / places),
        places_(places),
        start_(start) {}

  // Whether the next one is.
  bool Take() {
    const int64_t member = seen_++;
    if (taken_ == places_ ||
        member < static_cast<int64_t>((taken_ + start_) * step_)) {
      return false;
    }
    ++taken_;
    return true;
  }

 private:
  double step_;
  int64_t places_;
  double start_;
  int64_t seen_ = 0;
  int64_t taken_ = 0;
};

}  // namespace

std::vector<int64_t> Allocate(const std::vector<int64_t>& counts, int64_t most,
                              uint64_t seed) {
  std::vector<int64_t> places(counts.size(), 0);
  const int64_t total =
      std::accumulate(counts.begin(), counts.end(), int64_t{0});
  if (total <= most) return counts;
  std::vector<size_t> order(counts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937_64 random(seed);
  std::shuffle(order.begin(), order.end(), random);
  int64_t left = most;
  for (const size_t i : order) {
    if (left == 0) return places;
    if (counts[i] == 0) continue;
    places[i] = 1;
    --left;
  }
  // The rest in proportion to what is not taken yet; what rounding leaves goes
  // in the drawn order.
  const int64_t room = left;
  const int64_t untaken = total - (most - left);
  for (const size_t i : order) {
    const auto more = static_cast<int64_t>(static_cast<double>(room) *
                                           (counts[i] - places[i]) / untaken);
    places[i] += more;
    left -= more;
  }
  for (const size_t i : order) {
    if (left == 0) break;
    if (places[i] == counts[i]) continue;
    ++places[i];
    --left;
  }
  return places;
}

absl::StatusOr<Chosen> Choose(store::ProfileStore& store,
                              const store::Query& query, int64_t most,
                              const std::function<bool()>& is_cancelled) {
  Chosen chosen;
  SeriesNumbers numbers;
  std::vector<int64_t> counts;
  bool was_cancelled = false;
  const auto goes_on = [&](int64_t seen) {
    was_cancelled = seen % kAskEvery == 0 && is_cancelled();
    return !was_cancelled;
  };
  absl::Status s = store.Find(query, [&](const store::IndexEntry& entry) {
    const size_t number = numbers.Of(entry.info.series);
    counts.resize(std::max(counts.size(), number + 1));
    ++counts[number];
    if (++chosen.matching <= most) chosen.entries.push_back(entry);
    return goes_on(chosen.matching);
  });
  if (s.ok() && was_cancelled) s = absl::CancelledError("the client left");
  if (!s.ok()) return s;
  if (chosen.matching <= most) return chosen;

  const uint64_t seed = SeedOf(query);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> start;
  std::vector<Steps> steps;
  const std::vector<int64_t> places = Allocate(counts, most, seed);
  for (size_t i = 0; i < counts.size(); ++i) {
    steps.emplace_back(counts[i], places[i], start(random));
  }
  chosen.entries.clear();
  int64_t seen = 0;
  s = store.Find(query, [&](const store::IndexEntry& entry) {
    const size_t number = numbers.Of(entry.info.series);
    // A series that came meanwhile has no places.
    if (number < steps.size() && steps[number].Take()) {
      chosen.entries.push_back(entry);
    }
    return goes_on(++seen);
  });
  if (s.ok() && was_cancelled) s = absl::CancelledError("the client left");
  if (!s.ok()) return s;
  return chosen;
}

}  // namespace wallprof::collector
