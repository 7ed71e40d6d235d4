// A scraper on a thread of its own, with its counts among a daemon's metrics.
#ifndef WALLPROF_CLI_PGO_RUNNING_SCRAPER_H_
#define WALLPROF_CLI_PGO_RUNNING_SCRAPER_H_

#include <atomic>
#include <thread>

#include "fleet/pgo/scrape/scraper.h"
#include "fleet/serving/metrics.h"

namespace wallprof::cli {

class RunningScraper {
 public:
  // Scrapes until `ending`, by which requests of `source` and `upload` end too,
  // is set. Both must outlive this; `metrics` are not to be read after it.
  RunningScraper(pgo::TargetSource& source, pgo::UploadProfile upload,
                 pgo::ScraperOptions options, serving::Metrics& metrics,
                 std::atomic<bool>& ending);

  // Sets `ending`, and waits for what it ends.
  ~RunningScraper();

  void Reload() { scraper_.Reload(); }

 private:
  void AddMetrics(serving::Metrics& metrics);

  std::atomic<bool>& ending_;
  pgo::Scraper scraper_;
  std::thread thread_;
};

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PGO_RUNNING_SCRAPER_H_
