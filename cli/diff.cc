#include <memory>

#include "cli/profile_file.h"
#include "cli/verb.h"
#include "wallprof/merge.h"

namespace wallprof::cli {
namespace {

struct Arguments {
  bool normalize = false;
  std::string out = "-";
  std::string before;
  std::string after;
};

absl::Status DiffFiles(const Arguments& arguments) {
  Format format = OutputFormat(arguments.out, std::nullopt);
  if (arguments.before == "-" && arguments.after == "-") {
    throw CLI::ValidationError("AFTER",
                               "standard input can only be one of the two");
  }
  absl::StatusOr<Profile> before = ReadProfile(arguments.before);
  if (!before.ok()) return before.status();
  absl::StatusOr<Profile> after = ReadProfile(arguments.after);
  if (!after.ok()) return after.status();
  absl::StatusOr<Profile> diff = Diff(*before, *after, arguments.normalize);
  if (!diff.ok()) return diff.status();
  return WriteProfile(*diff, arguments.out, format);
}

}  // namespace

void AddDiff(CLI::App& program, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddVerb(
      program, "diff",
      "Subtracts one profile from another: what grew is positive, what shrank "
      "negative",
      exit_status, [arguments] { return DiffFiles(*arguments); });
  verb->add_flag("--normalize", arguments->normalize,
                 "Scale BEFORE to the total of AFTER first");
  verb->add_option("-o", arguments->out,
                   "File to write, its format by its suffix; by default "
                   "folded stacks on standard output");
  verb->add_option("BEFORE", arguments->before, "- is standard input")
      ->required();
  verb->add_option("AFTER", arguments->after, "- is standard input")
      ->required();
}

}  // namespace wallprof::cli
