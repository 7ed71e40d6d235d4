// The scraper: now and then takes a profile of some of the targets and sends it
// to a server.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SCRAPER_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SCRAPER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fleet/log/log_line.h"
#include "fleet/pgo/scrape/sending.h"
#include "fleet/pgo/scrape/targets.h"

namespace wallprof::pgo {

struct ScraperOptions {
  std::string app;

  // Targets profiled at once: chosen anew each round, by chance. At least 1.
  int sample_size = 0;

  absl::Duration frequency = absl::Seconds(60);  // from round to round
  absl::Duration duration = absl::Seconds(30);   // of a profile

  // How long a target may take beyond `duration`.
  absl::Duration grace = absl::Seconds(30);

  size_t max_profile_bytes = size_t{64} << 20;

  // File of the certificates that targets' are to be signed with; empty: the
  // system's.
  std::string certificates;

  // What is done, and what goes wrong. Both may be empty.
  fleet::LineLog log;
  fleet::LineLog warn;
};

struct ScraperCounts {
  int64_t rounds = 0;           // that were begun
  int64_t scraped = 0;          // profiles taken and sent
  int64_t target_failures = 0;  // targets that gave none
  int64_t upload_failures = 0;  // profiles that could not be sent
  int64_t upload_retries = 0;   // further tries to send one
  int64_t source_failures = 0;  // rounds with the targets known before
  int64_t skipped = 0;  // rounds left out since all before were still running
  int64_t targets = 0;  // that are known
  int64_t running = 0;  // profiles that are being taken or sent
};

// A round chooses as many targets as may be profiled besides those of earlier
// rounds that still are: one that never answers costs its place for a while,
// and delays nobody. Where a target fails so soon that another can be profiled
// until the next round begins, another takes its place.
class Scraper {
 public:
  // `source` must outlive the scraper. `upload` is called on several threads at
  // once, and is to end soon once `stopping` says so.
  Scraper(TargetSource& source, UploadProfile upload, ScraperOptions options);
  ~Scraper();

  // Rounds until `stopping` says so, which is asked ten times a second; running
  // requests then end. Nothing that goes wrong ends it. The first round begins
  // after a moment of random length, so that scrapers that are started together
  // do not ask together.
  void Run(const std::function<bool()>& stopping);

  // Asks the source now, and tells what it says: SIGHUP came. On any thread.
  void Reload();

  ScraperCounts counts() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SCRAPER_H_
