#include "cli/pgo/scrape_options.h"

#include "cli/settings.h"
#include "fleet/log/log_line.h"
#include "fleet/pgo/names.h"

namespace wallprof::cli {
namespace {

constexpr double kMib = 1 << 20;

}  // namespace

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
                  "From the begin of one time to that of the next")
      ->capture_default_str()
      ->check(CheckDuration)
      ->group(kGroup);
  verb.add_option(
          "-d,--duration", duration_,
          "How long each profile takes; in whole seconds, or rounded up")
      ->capture_default_str()
      ->check(CheckDuration)
      ->group(kGroup);
  verb.add_option("--grace", grace_,
                  "How long a target may take beyond the duration")
      ->capture_default_str()
      ->check(CheckDuration)
      ->group(kGroup);
  verb.add_option("--max-profile-mib", max_profile_mib_,
                  "Largest profile that is taken, in MiB")
      ->capture_default_str()
      ->check(CLI::PositiveNumber)
      ->group(kGroup);
  verb.add_option("--certificates", certificates_,
                  "File of the certificates to trust when targets are asked "
                  "over https, instead of the system's")
      ->type_name("FILE")
      ->check(CLI::ExistingFile)
      ->group(kGroup);
}

pgo::ScraperOptions ScrapeArguments::Options(serving::EventLog& log) const {
  pgo::ScraperOptions options;
  options.app = app_;
  options.sample_size = sample_size_;
  options.frequency = DurationOf(frequency_);
  options.duration = DurationOf(duration_);
  options.grace = DurationOf(grace_);
  options.max_profile_bytes = static_cast<size_t>(max_profile_mib_ * kMib);
  options.certificates = certificates_;
  options.log = [&log](const fleet::LogLine& line) { log.Info(line); };
  options.warn = [&log](const fleet::LogLine& line) { log.Warn(line); };
  return options;
}

}  // namespace wallprof::cli
