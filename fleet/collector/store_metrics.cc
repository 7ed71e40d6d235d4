#include "fleet/collector/store_metrics.h"

#include <memory>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace wallprof::collector {
namespace {

// All figures of one scrape come from one look at the store.
constexpr absl::Duration kFresh = absl::Seconds(1);

class LastStatistics {
 public:
  explicit LastStatistics(store::ProfileStore& store) : store_(store) {}

  // The last that could be had, if the store cannot be reached.
  store::StoreStatistics Get() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const absl::Time now = absl::Now(); now >= stale_at_) {
      const auto statistics = store_.Stats();
      if (statistics.ok()) last_ = *statistics;
      stale_at_ = now + kFresh;
    }
    return last_;
  }

 private:
  store::ProfileStore& store_;
  std::mutex mutex_;
  absl::Time stale_at_ = absl::InfinitePast();
  store::StoreStatistics last_;
};

struct Figure {
  const char* name;
  const char* help;
  int64_t store::StoreStatistics::*value;
};

constexpr Figure kFigures[] = {
    {"profiles", "Profiles that are kept.", &store::StoreStatistics::profiles},
    {"series", "Combinations of service, type and labels.",
     &store::StoreStatistics::series},
    {"segments", "Files or objects of profiles.",
     &store::StoreStatistics::segments},
    {"segment_bytes", "Bytes in them.", &store::StoreStatistics::segment_bytes},
};

constexpr Figure kCounts[] = {
    {"added", "Profiles taken.", &store::StoreStatistics::added},
    {"duplicates", "Profiles that were sent again.",
     &store::StoreStatistics::duplicates},
    {"expired", "Profiles removed for their age.",
     &store::StoreStatistics::expired},
    {"evicted", "Profiles removed for want of room.",
     &store::StoreStatistics::evicted},
    {"thinned", "Profiles removed by thinning.",
     &store::StoreStatistics::thinned},
    {"damaged", "Records that could not be read.",
     &store::StoreStatistics::damaged},
    {"commits", "Writes to the store.", &store::StoreStatistics::commits},
};

}  // namespace

void AddStoreMetrics(store::ProfileStore& store, const std::string& prefix,
                     serving::Metrics& metrics) {
  const auto statistics = std::make_shared<LastStatistics>(store);
  const auto read = [&statistics](const Figure& figure) {
    return [statistics, value = figure.value] {
      return static_cast<double>(statistics->Get().*value);
    };
  };
  for (const Figure& figure : kFigures) {
    metrics.AddReading(absl::StrCat(prefix, "_store_", figure.name),
                       figure.help, read(figure));
  }
  for (const Figure& count : kCounts) {
    metrics.AddCountReading(
        absl::StrCat(prefix, "_store_", count.name, "_total"), count.help,
        read(count));
  }
}

}  // namespace wallprof::collector
