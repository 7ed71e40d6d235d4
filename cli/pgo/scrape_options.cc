#include "cli/pgo/scrape_options.h"

#include "cli/settings.h"
#include "fleet/log/log_line.h"
#include "fleet/pgo/names.h"

namespace wallprof::cli {

void ScrapeArguments::AddTo(CLI::App& verb, bool is_required) {
  constexpr char kGroup[] = "What is scraped";
  // More at once are threads and bodies in memory for nothing: a base needs few
  // profiles of each round.
  constexpr int kMaxSampleSize = 1000;
  verb.add_option("-a,--app", app_, "What the program is called")
      ->type_name("APP")
      ->required(is_required)
      ->check([](const std::string& text) {
        return std::string(pgo::CheckApp(text).message());
      })
      ->group(kGroup);
  verb.add_option("-s,--sample-size", sample_size_,
                  "How many of the targets are profiled each time; they are "
                  "chosen by chance")
      ->required(is_required)
      ->check(CLI::Range(1, kMaxSampleSize))
      ->group(kGroup);
  verb.add_option("-f,--frequency", frequency_,
                  "From one time to the next, give or take a little")
      ->capture_default_str()
      ->check(CheckDuration)
      ->group(kGroup);
  verb.add_option("-d,--duration", duration_, "How long each profile takes")
      ->capture_default_str()
      ->check(CheckDuration)
      ->group(kGroup);
}

pgo::ScraperOptions ScrapeArguments::Options(serving::EventLog& log) const {
  pgo::ScraperOptions options;
  options.app = app_;
  options.sample_size = sample_size_;
  options.frequency = DurationOf(frequency_);
  options.duration = DurationOf(duration_);
  options.log = [&log](const fleet::LogLine& line) { log.Info(line); };
  options.warn = [&log](const fleet::LogLine& line) { log.Warn(line); };
  return options;
}

}  // namespace wallprof::cli
