// Options that can be given in three ways: as a flag, as a variable of the
// environment, and in a TOML file. A flag stands before a variable, that before
// the file, that before the default.
#ifndef WALLPROF_CLI_SETTINGS_H_
#define WALLPROF_CLI_SETTINGS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace wallprof::cli {

// Adds --config FILE to `verb`, before any other option: the file's keys are
// the names of the verb's flags without their dashes, and what is wrong in it
// is an error that names file, line and key.
void AddConfigFile(CLI::App& verb);

// Gives each option of `verb` that has a long name a variable: --spool-dir that
// of a prefix and SPOOL_DIR. Of several variables that are set, the one whose
// prefix comes first counts. After all options.
void AddVariables(CLI::App& verb, const std::vector<std::string>& prefixes);

// Of options that are durations above zero, as 10s or 1m30s: the value, and
// what is wrong with one; empty: nothing.
absl::Duration DurationOf(const std::string& text);
std::string CheckDuration(const std::string& text);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_SETTINGS_H_
