#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/filter_options.h"
#include "cli/profile_file.h"
#include "cli/top_table.h"
#include "cli/verb.h"
#include "profiler/profile/top_functions.h"
#include "wallprof/merge.h"

namespace wallprof::cli {
namespace {

constexpr size_t kTableRows = 20;

struct Arguments {
  DiffOptions options;
  std::optional<View> view;
  std::optional<View> view_before;
  std::optional<View> view_after;
  FilterOptions filters;
  std::optional<Format> to;
  bool table = false;
  std::string out = "-";
  std::string before;
  std::string after;  // empty: `before` again, in another view
};

// Wrong usage that shows in several arguments together.
void CheckUsage(const Arguments& arguments) {
  if (arguments.before == "-" && arguments.after == "-") {
    throw CLI::ValidationError("AFTER",
                               "standard input can only be one of the two");
  }
  if (arguments.view_before.has_value() != arguments.view_after.has_value()) {
    throw CLI::ValidationError(
        "--view-before and --view-after are given together");
  }
  if (arguments.after.empty() &&
      arguments.view_before == arguments.view_after) {
    throw CLI::ValidationError(
        "AFTER",
        "there is only one profile; its two views, which differ, are "
        "given with --view-before and --view-after");
  }
}

absl::StatusOr<Profile> ReadPart(const Arguments& arguments,
                                 const std::string& path) {
  absl::StatusOr<Profile> profile = ReadProfile(path);
  if (!profile.ok()) return profile;
  return ApplyFilters(arguments.filters, *profile);
}

absl::StatusOr<Profile> Difference(const Arguments& arguments) {
  absl::StatusOr<Profile> before = ReadPart(arguments, arguments.before);
  if (!before.ok()) return before;
  absl::StatusOr<Profile> after = before;
  if (!arguments.after.empty()) after = ReadPart(arguments, arguments.after);
  if (!after.ok()) return after;
  std::optional<View> view_before = arguments.view_before;
  std::optional<View> view_after = arguments.view_after;
  if (arguments.view) view_before = view_after = arguments.view;
  if (!view_before) return Diff(*before, *after, arguments.options);
  return DiffViews(*before, *view_before, *after, *view_after,
                   arguments.options);
}

absl::Status DiffFiles(const Arguments& arguments) {
  Format format = OutputFormat(arguments.out, arguments.to);
  CheckUsage(arguments);
  absl::StatusOr<Profile> diff = Difference(arguments);
  if (!diff.ok()) return diff.status();
  if (arguments.table) {
    return Print(TopTable(
        ComputeTopFunctions(*diff, arguments.view.value_or(View::kWall)),
        kTableRows));
  }
  return WriteProfile(*diff, arguments.out, format);
}

}  // namespace

void AddDiff(CLI::App& program, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  arguments->options.label_base = true;
  CLI::App* verb = AddVerb(
      program, "diff",
      "Compares two profiles, or two views of one: what grew, what shrank",
      exit_status, [arguments] { return DiffFiles(*arguments); });
  verb->add_flag("--normalize", arguments->options.normalize,
                 "Scale BEFORE to the total of AFTER first");
  CLI::Option* view = AddViewOption(*verb, arguments->view);
  AddViewOption(*verb, arguments->view_before, "--view-before")->excludes(view);
  AddViewOption(*verb, arguments->view_after, "--view-after")->excludes(view);
  AddFilterOptions(*verb, arguments->filters);
  CLI::Option* out =
      verb->add_option("-o", arguments->out,
                       "File to write, its format by its suffix; by default "
                       "folded stacks, before and after, on standard output");
  CLI::Option* to = AddFormatOption(*verb, "--to", arguments->to);
  verb->add_flag("--table", arguments->table,
                 "Show the functions that differ most instead")
      ->excludes(out)
      ->excludes(to);
  verb->add_option("BEFORE", arguments->before, "- is standard input")
      ->required();
  verb->add_option("AFTER", arguments->after,
                   "- is standard input; not needed for two views of one");
}

}  // namespace wallprof::cli
