// The options of verbs that scrape: how many targets, how often, for how long.
#ifndef WALLPROF_CLI_PGO_SCRAPE_OPTIONS_H_
#define WALLPROF_CLI_PGO_SCRAPE_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>

#include "fleet/pgo/scrape/scraper.h"
#include "fleet/serving/event_log.h"

namespace wallprof::cli {

// As given; Options() has them as the scraper takes them.
class ScrapeArguments {
 public:
  // Adds the options to `verb`; `*this` must outlive it. --app and
  // --sample-size are required where the verb does nothing else.
  void AddTo(CLI::App& verb, bool is_required);

  const std::string& app() const { return app_; }
  bool is_complete() const { return !app_.empty() && sample_size_ > 0; }

  pgo::ScraperOptions Options(serving::EventLog& log) const;

 private:
  std::string app_;
  int sample_size_ = 0;
  std::string frequency_ = "60s";
  std::string duration_ = "30s";
  std::string grace_ = "30s";
  double max_profile_mib_ = 64;
  std::string certificates_;
};

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PGO_SCRAPE_OPTIONS_H_
