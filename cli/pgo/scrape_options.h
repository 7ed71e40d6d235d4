// The options of verbs that scrape: how many targets, how often, for how long.
#ifndef WALLPROF_CLI_PGO_SCRAPE_OPTIONS_H_
#define WALLPROF_CLI_PGO_SCRAPE_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <atomic>
#include <string>
#include <thread>

#include "fleet/pgo/scrape/scraper.h"
#include "fleet/serving/event_log.h"

namespace wallprof::cli {

// As given; Options() has them as the scraper takes them.
class ScrapeArguments {
 public:
  // Adds the options to `verb`; `*this` must outlive it. --app and
  // --sample-size are required where the verb does nothing else.
  void AddTo(CLI::App& verb, bool is_required);

  bool is_complete() const { return !app_.empty() && sample_size_ > 0; }

  pgo::ScraperOptions Options(serving::EventLog& log) const;

 private:
  std::string app_;
  int sample_size_ = 0;
  std::string frequency_ = "60s";
  std::string duration_ = "30s";
};

// Has a scraper scrape while it lives.
class ScraperThread {
 public:
  // Both must outlive this; `stopping` becomes true with its end.
  ScraperThread(pgo::Scraper& scraper, std::atomic<bool>& stopping)
      : stopping_(stopping), thread_([&scraper, &stopping] {
          scraper.Run([&stopping] { return stopping.load(); });
        }) {}
  ~ScraperThread() {
    stopping_.store(true);
    thread_.join();
  }

 private:
  std::atomic<bool>& stopping_;
  std::thread thread_;
};

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PGO_SCRAPE_OPTIONS_H_
