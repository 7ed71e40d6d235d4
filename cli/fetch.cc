#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/download.h"
#include "cli/fetch_url.h"
#include "cli/profile_file.h"
#include "cli/progress_bar.h"
#include "cli/verb.h"
#include "profiler/profile/view.h"
#include "wallprof/filter.h"

namespace wallprof::cli {
namespace {

constexpr char kDefaultSeconds[] = "10";

// What the server may take beyond the window: half of it again, as Go's pprof
// grants, and time for symbols and a slow network.
constexpr double kTimeoutFactor = 1.5;
constexpr absl::Duration kGrace = absl::Seconds(60);

struct Arguments {
  std::string seconds;  // empty: the default, unless the URL has some
  std::string from;     // of what was recorded; empty: measure
  std::string to;
  std::optional<View> view;
  std::optional<Format> format;
  bool detail = false;
  bool lines = false;
  std::string out = "-";
  std::string address;
};

// What to ask the server for: what is written here is made of a whole profile,
// whatever formats the server has.
const char* FormatToAsk(Format format) {
  return format == Format::kFolded ? "folded" : "pprof";
}

// A decimal number above zero, as the server takes it; the most that is
// allowed is for the server to say.
std::string CheckSeconds(const std::string& text) {
  bool digits = text.find_first_not_of("0123456789.") == std::string::npos;
  double seconds = 0;
  if (digits && absl::SimpleAtod(text, &seconds) && seconds > 0) return "";
  return absl::StrCat(text, " is not a number of seconds above zero");
}

absl::StatusOr<FetchUrl> UrlOf(const Arguments& arguments, Format format) {
  std::vector<Parameter> parameters;
  if (arguments.from.empty()) {
    parameters.push_back(
        {"seconds",
         arguments.seconds.empty() ? kDefaultSeconds : arguments.seconds,
         arguments.seconds.empty()});
  } else {
    parameters.push_back({"from", arguments.from});
    if (!arguments.to.empty()) parameters.push_back({"to", arguments.to});
    if (ShowsTime(format)) parameters.push_back({"slices", "1"});
  }
  parameters.push_back({"format", FormatToAsk(format), true});
  if (arguments.view) {
    parameters.push_back({"view", std::string(NameOfView(*arguments.view))});
  }
  if (arguments.detail) parameters.push_back({"detail", "1"});
  if (arguments.lines) parameters.push_back({"lines", "1"});
  return MakeFetchUrl(arguments.address, parameters);
}

absl::Duration WindowOf(const FetchUrl& url) {
  double seconds = 0;
  // What is in the URL may be wrong; the server will say so at once.
  if (!absl::SimpleAtod(ParameterOf(url.url, "seconds"), &seconds) ||
      !(seconds > 0)) {
    return absl::ZeroDuration();
  }
  return absl::Seconds(seconds);
}

absl::Status Fetch(const Arguments& arguments) {
  Format format = OutputFormat(arguments.out, arguments.format);
  absl::StatusOr<FetchUrl> url = UrlOf(arguments, format);
  if (!url.ok()) {
    throw CLI::ValidationError(std::string(url.status().message()));
  }
  absl::Duration window = WindowOf(*url);
  absl::StatusOr<std::string> body;
  {
    ProgressBar progress(window);
    body = Download(*url, window * kTimeoutFactor + kGrace,
                    [&progress] { progress.Update(); });
  }
  if (!body.ok()) return body.status();
  // Read even if it is to be written as it came: half a profile or a web page
  // is not passed on as one. Other servers' formats may not be the one asked.
  absl::StatusOr<Profile> profile = Decode(*body);
  if (!profile.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        url->url, ": not a profile: ", profile.status().message()));
  }
  // Folded stacks come with it.
  if (arguments.detail && format != Format::kFolded &&
      format != Format::kPprof && arguments.view != View::kBlockedBy) {
    profile = WithLabelFrames(*std::move(profile), kWaitLabels);
  }
  return WriteProfile(*profile, arguments.out, format);
}

}  // namespace

void AddFetch(CLI::App& program, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb =
      AddVerb(program, "fetch", "Measures a program that serves its profile",
              exit_status, [arguments] { return Fetch(*arguments); });
  verb->add_option(
          "--seconds", arguments->seconds,
          absl::StrCat("How long to measure; by default ", kDefaultSeconds))
      ->check(CheckSeconds);
  AddPastOptions(*verb, arguments->from, arguments->to)
      ->excludes(verb->get_option("--seconds"));
  AddViewOption(*verb, arguments->view);
  AddFormatOption(*verb, "--format", arguments->format);
  verb->add_flag("--detail", arguments->detail,
                 "Also which file, socket, lock or thread each sample waits "
                 "for: a label in pprof, the innermost frame elsewhere");
  AddLinesOption(*verb, arguments->lines);
  verb->add_option("-o", arguments->out,
                   "File to write, its format by its suffix; by default "
                   "folded stacks on standard output");
  verb->add_option("ADDRESS", arguments->address,
                   "HOST:PORT, unix:/path or a URL")
      ->required();
}

}  // namespace wallprof::cli
