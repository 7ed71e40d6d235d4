#include "cli/verb.h"

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "profiler/profile/view.h"
#include "wallprof/recorder.h"

namespace wallprof::cli {

void AddVersion(CLI::App& app) {
  app.set_version_flag("--version", "wallprof " WALLPROF_VERSION);
}

CLI::App* AddVerb(CLI::App& program, const std::string& name,
                  const std::string& description, int& exit_status,
                  std::function<absl::Status()> run) {
  CLI::App* verb = program.add_subcommand(name, description);
  AddVersion(*verb);
  verb->callback([&exit_status, run = std::move(run)] {
    absl::Status status = run();
    if (status.ok()) return;
    std::cerr << "wallprof: " << status.message() << std::endl;
    exit_status = kFailed;
  });
  return verb;
}

std::string CheckTime(const std::string& text) {
  const absl::StatusOr<absl::Time> time = ParseTime(text, absl::Now());
  return time.ok() ? std::string()
                   : absl::StrCat(text, " is not ", time.status().message());
}

CLI::Option* AddPastOptions(CLI::App& verb, std::string& from,
                            std::string& to) {
  CLI::Option* from_option =
      verb.add_option("--from", from, kFromDescription)->check(CheckTime);
  verb.add_option("--to", to, "Its end; by default now")
      ->check(CheckTime)
      ->needs(from_option);
  return from_option;
}

CLI::Option* AddViewOption(CLI::App& verb, std::optional<View>& view,
                           const std::string& name) {
  return verb
      .add_option_function<std::string>(
          name, [&view](const std::string& name) { view = ViewOfName(name); },
          "What is weighed")
      ->check(CLI::IsMember({"wall", "cpu", "offcpu", "blockedby"}));
}

CLI::Option* AddFormatOption(CLI::App& verb, const std::string& name,
                             std::optional<Format>& format) {
  return verb
      .add_option_function<std::string>(
          name,
          [&format](const std::string& text) { format = FormatOfName(text); },
          "Format to write, instead of the one of the file's suffix")
      ->check(CLI::IsMember(
          {"folded", "pprof", "speedscope", "svg", "html", "json", "chrome"}));
}

void AddLinesOption(CLI::App& verb, bool& lines) {
  verb.add_flag("--lines", lines,
                "Each frame of folded stacks followed by its place, as in "
                "\"serve(int) (server.cc:12)\"");
}

Format OutputFormat(const std::string& path, std::optional<Format> asked) {
  if (asked) return *asked;
  if (path == "-") return Format::kFolded;
  std::optional<Format> format = FormatOfPath(path);
  if (format) return *format;
  throw CLI::ValidationError(
      path, absl::StrCat("the suffix is none of ", kFormatSuffixes));
}

}  // namespace wallprof::cli
