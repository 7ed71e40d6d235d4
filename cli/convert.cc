#include <memory>
#include <string>
#include <vector>

#include "cli/filter_options.h"
#include "cli/profile_file.h"
#include "cli/verb.h"
#include "wallprof/merge.h"

namespace wallprof::cli {
namespace {

struct Arguments {
  PastTimes times;
  std::optional<Format> to;
  bool lines = false;
  std::optional<View> view;
  FilterOptions filters;
  std::string in;
  std::string out;
};

// No format is called like a time.
void SetTo(const std::string& value, Arguments& arguments) {
  const std::optional<Format> format = FormatOfName(value);
  if (format.has_value()) {
    arguments.to = format;
  } else if (!arguments.times.from.empty() && CheckTime(value).empty()) {
    arguments.times.to = value;
  } else {
    throw CLI::ValidationError("--to", value + " is not a format");
  }
}

absl::Status Convert(const Arguments& arguments) {
  Format format = OutputFormat(arguments.out, arguments.to);
  absl::StatusOr<Profile> profile =
      ReadProfile(arguments.in, arguments.times,
                  {arguments.view.value_or(View::kWall), ShowsTime(format)});
  if (profile.ok()) profile = ApplyFilters(arguments.filters, *profile);
  if (profile.ok() && arguments.view) {
    profile = SelectView(*profile, *arguments.view);
  }
  if (!profile.ok()) return profile.status();
  FoldedOptions folded;
  folded.lines = arguments.lines;
  return WriteProfile(*profile, arguments.out, format, folded);
}

}  // namespace

void AddConvert(CLI::App& program, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb =
      AddVerb(program, "convert", "Writes a profile in another format",
              exit_status, [arguments] { return Convert(*arguments); });
  AddLinesOption(*verb, arguments->lines);
  AddViewOption(*verb, arguments->view);
  AddFilterOptions(*verb, arguments->filters);
  verb->add_option("--from", arguments->times.from, kFromDescription)
      ->check(CheckTime);
  verb->add_option_function<std::vector<std::string>>(
          "--to",
          [arguments](const std::vector<std::string>& values) {
            for (const std::string& value : values) SetTo(value, *arguments);
          },
          "Format to write, instead of the one of the file's suffix; and, "
          "after --from, the end of the time")
      ->allow_extra_args(false);
  verb->add_option("IN", arguments->in,
                   "Profile to read, or a directory that was recorded to; - "
                   "is standard input")
      ->required();
  verb->add_option("OUT", arguments->out,
                   "File to write; - is standard output, folded by default")
      ->required();
}

}  // namespace wallprof::cli
