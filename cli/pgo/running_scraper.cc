#include "cli/pgo/running_scraper.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/server/server.h"

namespace wallprof::cli {
namespace {

struct Figure {
  const char* name;
  const char* help;
  int64_t pgo::ScraperCounts::*value;
};

constexpr Figure kCounts[] = {
    {"rounds", "Rounds that were begun.", &pgo::ScraperCounts::rounds},
    {"scraped", "Profiles taken and sent.", &pgo::ScraperCounts::scraped},
    {"target_failures", "Targets that gave no profile.",
     &pgo::ScraperCounts::target_failures},
    {"upload_failures", "Profiles that could not be sent.",
     &pgo::ScraperCounts::upload_failures},
    {"upload_retries", "Further tries to send a profile.",
     &pgo::ScraperCounts::upload_retries},
    {"source_failures", "Rounds with the targets that were known before.",
     &pgo::ScraperCounts::source_failures},
    {"rounds_skipped",
     "Rounds left out since all profiles of those before were still running.",
     &pgo::ScraperCounts::skipped},
};

constexpr Figure kGauges[] = {
    {"targets", "Targets that are known.", &pgo::ScraperCounts::targets},
    {"running", "Profiles that are being taken or sent.",
     &pgo::ScraperCounts::running},
};

std::string NameOf(const Figure& figure, const char* suffix) {
  return absl::StrCat(pgo::kMetricsPrefix, "_scraper_", figure.name, suffix);
}

}  // namespace

RunningScraper::RunningScraper(pgo::TargetSource& source,
                               pgo::UploadProfile upload,
                               pgo::ScraperOptions options,
                               serving::Metrics& metrics,
                               std::atomic<bool>& ending)
    : ending_(ending), scraper_(source, std::move(upload), std::move(options)) {
  AddMetrics(metrics);
  thread_ =
      std::thread([this] { scraper_.Run([this] { return ending_.load(); }); });
}

RunningScraper::~RunningScraper() {
  ending_ = true;
  thread_.join();
}

// What is read ends with the daemon's requests, before this does.
void RunningScraper::AddMetrics(serving::Metrics& metrics) {
  const auto reading = [this](const Figure& figure) {
    return [this, value = figure.value] {
      return static_cast<double>(scraper_.counts().*value);
    };
  };
  for (const Figure& figure : kCounts) {
    metrics.AddCountReading(NameOf(figure, "_total"), figure.help,
                            reading(figure));
  }
  for (const Figure& figure : kGauges) {
    metrics.AddReading(NameOf(figure, ""), figure.help, reading(figure));
  }
}

}  // namespace wallprof::cli
