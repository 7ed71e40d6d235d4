#include "fleet/agent/scraping.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "fleet/agent/taking.h"
#include "wallprof/formats.h"

namespace wallprof::agent {
namespace {

struct ScrapedType {
  const char* name;
  const char* path;
  bool has_window;  // takes `seconds`
  const char* query;
  // Where Go programs have it that serve fgprof; asked where `path` is not.
  const char* other_path;
};

constexpr ScrapedType kTypes[] = {
    {"wall", "debug/pprof/wall", true, "", "debug/fgprof"},
    {"cpu", "debug/pprof/profile", true, "", ""},
    {"offcpu", "debug/pprof/wall", true, "&view=offcpu", ""},
    {"lockwait", "debug/pprof/wall", true, "&view=blockedby", ""},
    {"heap", "debug/pprof/heap", false, "", ""},
    {"block", "debug/pprof/block", false, "", ""},
    {"mutex", "debug/pprof/mutex", false, "", ""},
    {"goroutine", "debug/pprof/goroutine", false, "", ""},
    {"threadcreate", "debug/pprof/threadcreate", false, "", ""},
    {"trace", "debug/pprof/trace", true, "", ""},
};

constexpr char kTrace[] = "trace";  // is no profile, and sent unread

// What the program may take beyond the window: half of it again, as Go's pprof
// grants, and time for symbols.
constexpr double kTimeoutFactor = 1.5;
constexpr absl::Duration kGrace = absl::Seconds(60);

// The program may have been replaced by one that has it.
constexpr absl::Duration kLookAgain = absl::Hours(1);

// Of a program's words; ours are a sentence.
constexpr size_t kMaxText = 300;

constexpr int kOk = 200;
constexpr int kNotFound = 404;

const ScrapedType* FindType(const std::string& name) {
  const auto type =
      std::find_if(std::begin(kTypes), std::end(kTypes),
                   [&name](const ScrapedType& t) { return name == t.name; });
  return type == std::end(kTypes) ? nullptr : type;
}

}  // namespace

bool IsScrapedType(const std::string& type) {
  return FindType(type) != nullptr;
}

Scraping::Scraping(ScrapingOptions options, AgentExchange exchange,
                   const Clock& clock, const Stop& stop, Tally& tally,
                   fleet::Log log)
    : options_(std::move(options)),
      exchange_(std::move(exchange)),
      clock_(clock),
      stop_(stop),
      tally_(tally),
      log_(std::move(log)) {}

void Scraping::ScrapeAll(const Use& use) {
  for (const std::string& type : options_.types) {
    if (stop_.raised()) return;
    Scrape(type, use);
  }
}

AgentAnswer Scraping::Ask(const std::string& path) const {
  AgentRequest request;
  request.method = "GET";
  request.url = absl::StrCat(
      options_.url,
      !options_.url.empty() && options_.url.back() == '/' ? "" : "/", path);
  request.headers["User-Agent"] = "wallprof-agent";
  request.timeout = options_.window * kTimeoutFactor + kGrace;
  request.cancelled = [this] { return stop_.raised(); };
  return exchange_(request);
}

void Scraping::Scrape(const std::string& type, const Use& use) {
  const ScrapedType* kind = FindType(type);
  if (kind == nullptr || clock_.Steady() < missing_until_[type]) return;
  const auto path_of = [&](const char* path) {
    return kind->has_window
               ? absl::StrCat(
                     path, "?seconds=", absl::ToDoubleSeconds(options_.window),
                     kind->query)
               : std::string(path);
  };
  const absl::Time start = clock_.Now();
  AgentAnswer answer = Ask(path_of(kind->path));
  if (answer.status == kNotFound && *kind->other_path != '\0') {
    answer = Ask(path_of(kind->other_path));
  }
  // What a stop cut short was not asked for to its end.
  if (stop_.raised() && answer.result != AgentAnswer::Result::kAnswered) return;
  if (answer.status == kNotFound)
    missing_until_[type] = clock_.Steady() + kLookAgain;
  absl::StatusOr<Parcel> parcel = Read(type, start, std::move(answer));
  if (absl::IsNotFound(parcel.status())) {
    tally_.Update([](AgentStatistics& s) {
      ++s.taken;
      ++s.lost.empty;
    });
    return;
  }
  if (!parcel.ok()) return Failed(type, parcel.status());
  tally_.Update([](AgentStatistics& s) { ++s.taken; });
  use(*std::move(parcel));
}

// NotFound for a profile without samples.
absl::StatusOr<Parcel> Scraping::Read(const std::string& type, absl::Time start,
                                      AgentAnswer answer) const {
  if (answer.result != AgentAnswer::Result::kAnswered) {
    return absl::UnavailableError(answer.error);
  }
  if (answer.status != kOk) {
    return absl::UnavailableError(absl::StrCat(
        "status ", answer.status, ": ",
        std::string(
            absl::StripAsciiWhitespace(answer.body.substr(0, kMaxText)))));
  }
  Parcel parcel{NewParcelId(), options_.service,      type, options_.labels,
                start,         std::move(answer.body)};
  if (type == kTrace) return parcel;
  const absl::StatusOr<Profile> profile = DecodePprof(parcel.body);
  if (!profile.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "not a profile: ", std::string(profile.status().message())));
  }
  if (profile->samples.empty()) {
    return absl::NotFoundError("the profile has no samples");
  }
  if (profile->time != absl::UnixEpoch()) parcel.created_at = profile->time;
  return parcel;
}

void Scraping::Failed(const std::string& type, const absl::Status& status) {
  tally_.Update([](AgentStatistics& s) {
    ++s.taken;
    ++s.lost.failed;
  });
  fleet::LogLine("not_taken")
      .Add("target", options_.url)
      .Add("type", type)
      .Add("error", std::string(status.message()))
      .To(log_);
}

}  // namespace wallprof::agent
