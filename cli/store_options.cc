#include "cli/store_options.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/settings.h"

namespace wallprof::cli {
namespace {

constexpr double kGib = 1 << 30;

// "48h=1h"
std::pair<std::string, std::string> PartsOf(const std::string& thinning) {
  return absl::StrSplit(thinning, absl::MaxSplits('=', 1));
}

std::string CheckThinning(const std::string& text) {
  const auto [age, period] = PartsOf(text);
  if (!CheckDuration(age).empty() || !CheckDuration(period).empty()) {
    return absl::StrCat(text, " is not AGE=PERIOD, as 48h=1h");
  }
  return "";
}

}  // namespace

void StoreArguments::AddTo(CLI::App& verb) {
  constexpr char kWhere[] = "Where profiles are kept";
  verb.add_option("--dir", directory_,
                  "Directory of everything that no URL below is for; made if "
                  "it is missing")
      ->type_name("DIR")
      ->group(kWhere);
  verb.add_option("--blobs", blobs_,
                  "The profiles themselves, where several collectors reach "
                  "them: s3://BUCKET/PREFIX?endpoint=URL, credentials as in "
                  "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; with --index")
      ->type_name("URL")
      ->group(kWhere);
  verb.add_option(
          "--index", index_,
          "Which profiles there are, likewise: "
          "postgres://USER@HOST/DATABASE, the password as in PGPASSWORD "
          "or PGPASSFILE")
      ->type_name("URL")
      ->group(kWhere);
  constexpr char kHowLong[] = "For how long";
  verb.add_option("--max-age", max_age_,
                  "Removes older profiles, as 720h; without it none are")
      ->check(CheckDuration)
      ->group(kHowLong);
  verb.add_option("--max-gib", max_gib_,
                  "Removes the oldest profiles when all take more, in GiB")
      ->check(CLI::PositiveNumber)
      ->group(kHowLong);
  verb.add_option("--thin", thin_,
                  "AGE=PERIOD: of profiles older than AGE, keeps one of each "
                  "series in every PERIOD, as 48h=1h; several may be given, or "
                  "joined by commas")
      ->delimiter(',')
      ->type_name("AGE=PERIOD")
      ->check(CheckThinning)
      ->group(kHowLong);
}

store::StoreOptions StoreArguments::Options() const {
  if (blobs_.empty() != index_.empty()) {
    throw CLI::ValidationError(
        blobs_.empty() ? "--index" : "--blobs",
        blobs_.empty() ? "needs --blobs" : "needs --index");
  }
  if (directory_.empty() && (blobs_.empty() || index_.empty())) {
    throw CLI::ValidationError("--dir",
                               "is required without both --blobs and --index");
  }
  store::StoreOptions options;
  options.directory = directory_;
  options.blobs = blobs_;
  options.index = index_;
  if (!max_age_.empty()) options.retention.max_age = DurationOf(max_age_);
  options.retention.max_bytes = std::llround(max_gib_ * kGib);
  for (const std::string& text : thin_) {
    const auto [age, period] = PartsOf(text);
    options.retention.thinning.push_back({DurationOf(age), DurationOf(period)});
  }
  return options;
}

}  // namespace wallprof::cli
