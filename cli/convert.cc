#include <memory>

#include "cli/filter_options.h"
#include "cli/profile_file.h"
#include "cli/verb.h"
#include "wallprof/merge.h"

namespace wallprof::cli {
namespace {

struct Arguments {
  std::optional<Format> to;
  bool lines = false;
  std::optional<View> view;
  FilterOptions filters;
  std::string in;
  std::string out;
};

absl::Status Convert(const Arguments& arguments) {
  Format format = OutputFormat(arguments.out, arguments.to);
  absl::StatusOr<Profile> profile = ReadProfile(arguments.in);
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
  AddFormatOption(*verb, "--to", arguments->to);
  AddLinesOption(*verb, arguments->lines);
  AddViewOption(*verb, arguments->view);
  AddFilterOptions(*verb, arguments->filters);
  verb->add_option("IN", arguments->in, "Profile to read; - is standard input")
      ->required();
  verb->add_option("OUT", arguments->out,
                   "File to write; - is standard output, folded by default")
      ->required();
}

}  // namespace wallprof::cli
