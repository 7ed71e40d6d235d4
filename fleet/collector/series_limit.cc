#include "fleet/collector/series_limit.h"

#include "absl/hash/hash.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace wallprof::collector {
namespace {

// A collector that has run for long has seen most of them; more than this is
// asked of the store again.
constexpr size_t kMaxAdmitted = 1'000'000;

uint64_t HashOf(const store::Series& series) {
  return absl::HashOf(series.service, series.type, series.labels);
}

}  // namespace

SeriesLimit::SeriesLimit(store::ProfileStore& store, int64_t max_series)
    : store_(store), max_series_(max_series) {}

absl::Status SeriesLimit::Admit(const store::Series& series) {
  const uint64_t hash = HashOf(series);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (admitted_.contains(hash)) return absl::OkStatus();
    if (admitted_.size() >= kMaxAdmitted) admitted_.clear();
  }
  // New since the start: few are, so that asking the store is no burden.
  const absl::StatusOr<int64_t> count = store_.CountSeries();
  if (!count.ok()) return count.status();
  if (*count >= max_series_) {
    store::Query same;
    same.selector.Require("service", series.service);
    same.selector.Require("type", series.type);
    for (const auto& [key, value] : series.labels) {
      same.selector.Require(key, value);
    }
    const auto known = store_.FindSeries(same);
    if (!known.ok()) return known.status();
    bool is_known = false;
    for (const store::Series& other : *known) is_known |= other == series;
    if (!is_known) {
      return absl::AbortedError(absl::StrCat(
          "there are ", *count, " series already, and at most ", max_series_,
          " may be: does a label of this profile "
          "have another value each time?"));
    }
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  admitted_.insert(hash);
  return absl::OkStatus();
}

}  // namespace wallprof::collector
