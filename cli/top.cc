#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/filter_options.h"
#include "cli/profile_file.h"
#include "cli/top_table.h"
#include "cli/verb.h"
#include "profiler/profile/top_functions.h"
#include "profiler/profile/view.h"

namespace wallprof::cli {
namespace {

// More than any profile has.
constexpr int kMostRows = 1'000'000;

struct Arguments {
  PastTimes times;
  size_t rows = 20;
  std::optional<View> view;
  FilterOptions filters;
  std::string file;
};

absl::Status Top(const Arguments& arguments) {
  absl::StatusOr<Profile> profile = ReadProfile(
      arguments.file, arguments.times, {arguments.view.value_or(View::kWall)});
  if (profile.ok()) profile = ApplyFilters(arguments.filters, *profile);
  if (!profile.ok()) return profile.status();
  if (arguments.view) {
    // Asked for, it has to be there; otherwise the profile's default will do.
    absl::Status status = FindColumn(*profile, *arguments.view).status();
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(arguments.file, ": ", status.message()));
    }
  }
  return Print(TopTable(ComputeTopFunctions(
                            *profile, arguments.view.value_or(View::kWall)),
                        arguments.rows) +
               LossLine(*profile));
}

}  // namespace

void AddTop(CLI::App& program, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb =
      AddVerb(program, "top", "Shows the functions where the time goes",
              exit_status, [arguments] { return Top(*arguments); });
  verb->add_option("-n", arguments->rows, "Functions to show")
      ->check(CLI::Range(1, kMostRows))
      ->capture_default_str();
  AddPastOptions(*verb, arguments->times.from, arguments->times.to);
  AddViewOption(*verb, arguments->view);
  AddFilterOptions(*verb, arguments->filters);
  verb->add_option("FILE", arguments->file,
                   "Profile to read, or a directory that was recorded to; - "
                   "is standard input")
      ->required();
}

}  // namespace wallprof::cli
