// The scraper: now and then takes a profile of some of the targets and sends it
// to a server.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SCRAPER_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SCRAPER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/log/log_line.h"
#include "fleet/pgo/scrape/targets.h"

namespace wallprof::pgo {

struct ScraperOptions {
  std::string app;

  // Targets profiled at once, and in one round: chosen anew each time, by
  // chance. At least 1.
  int sample_size = 0;

  absl::Duration frequency = absl::Seconds(60);  // from round to round
  absl::Duration duration = absl::Seconds(30);   // of a profile

  // How long a target may take beyond `duration`.
  absl::Duration grace = absl::Seconds(30);

  size_t max_profile_bytes = size_t{64} << 20;

  // Of targets whose certificate no one here has signed.
  std::string certificates;

  fleet::LineLog log;  // may be empty
};

// Takes a profile; `id` and the errors that are worth another try as in
// client.h.
using UploadProfile =
    std::function<absl::Status(std::string_view app, std::string_view bytes,
                               std::string_view version, int64_t id)>;

struct ScraperCounts {
  int64_t rounds = 0;
  int64_t scraped = 0;          // profiles taken and sent
  int64_t target_failures = 0;  // targets that gave none
  int64_t upload_failures = 0;  // profiles that could not be sent
  int64_t source_failures = 0;  // rounds with the targets known before
  int64_t skipped = 0;  // rounds left out since one before was still running
};

class Scraper {
 public:
  // `source` must outlive the scraper.
  Scraper(TargetSource& source, UploadProfile upload, ScraperOptions options);
  ~Scraper();

  // Rounds until `stopping` says so, which is asked ten times a second; running
  // requests then end. Nothing that goes wrong ends it. The first round begins
  // after a moment of random length, so that scrapers that are started together
  // do not ask together.
  void Run(const std::function<bool()>& stopping);

  ScraperCounts counts() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SCRAPER_H_
