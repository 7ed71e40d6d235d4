// The verbs of `wallprof`. Each is a file with one function that adds the
// verb's subcommand to the program; main calls them all.
#ifndef WALLPROF_CLI_VERB_H_
#define WALLPROF_CLI_VERB_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof::cli {

inline constexpr int kFailed = 1;      // bad input, network, disk
inline constexpr int kWrongUsage = 2;  // before any work was done

// `exit_status` is set when the user has called the verb.
void AddAgent(CLI::App& program, int& exit_status);
void AddCollect(CLI::App& program, int& exit_status);
void AddConvert(CLI::App& program, int& exit_status);
void AddDiff(CLI::App& program, int& exit_status);
void AddFetch(CLI::App& program, int& exit_status);
void AddMerge(CLI::App& program, int& exit_status);
void AddPgo(CLI::App& program, int& exit_status);
void AddRun(CLI::App& program, int& exit_status);
void AddTop(CLI::App& program, int& exit_status);

// Adds --version; --help every CLI::App has.
void AddVersion(CLI::App& app);

// Adds a verb that does `run` and ends with `exit_status` 0, or kFailed and a
// line on standard error. `run` may throw a CLI::ValidationError for wrong
// usage that only shows in several arguments together.
CLI::App* AddVerb(CLI::App& program, const std::string& name,
                  const std::string& description, int& exit_status,
                  std::function<absl::Status()> run);

// What a time on the command line is, and what is wrong with one; empty:
// nothing.
inline constexpr char kFromDescription[] =
    "Begin of the time, of what was recorded: -10m (s, m, h), "
    "2026-01-02T03:04:05Z or seconds since 1970";
std::string CheckTime(const std::string& text);

// Adds --from and --to, times of what was recorded; both stay empty if the user
// gives none. Returns --from, without which there is no --to.
CLI::Option* AddPastOptions(CLI::App& verb, std::string& from, std::string& to);

// Adds the option `name`, a view. `view` stays empty without it.
CLI::Option* AddViewOption(CLI::App& verb, std::optional<View>& view,
                           const std::string& name = "--view");

// Adds the option `name`, a format. `format` stays empty without it.
CLI::Option* AddFormatOption(CLI::App& verb, const std::string& name,
                             std::optional<Format>& format);

// Adds --lines, for folded stacks.
void AddLinesOption(CLI::App& verb, bool& lines);

// The format to write `path` in: `asked`, else by suffix, else for "-" folded.
// Throws CLI::ValidationError for any other path.
Format OutputFormat(const std::string& path, std::optional<Format> asked);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_VERB_H_
