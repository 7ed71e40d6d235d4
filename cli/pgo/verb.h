// The verbs of `wallprof pgo`. Each is a file with one function that adds it to
// the group; pgo.cc calls them all.
#ifndef WALLPROF_CLI_PGO_VERB_H_
#define WALLPROF_CLI_PGO_VERB_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "absl/status/status.h"

namespace wallprof::cli {

// `exit_status` is set when the user has called the verb.
void AddPgoClean(CLI::App& group, int& exit_status);
void AddPgoDelete(CLI::App& group, int& exit_status);
void AddPgoDownload(CLI::App& group, int& exit_status);
void AddPgoExport(CLI::App& group, int& exit_status);
void AddPgoList(CLI::App& group, int& exit_status);
void AddPgoScrape(CLI::App& group, int& exit_status);
void AddPgoServe(CLI::App& group, int& exit_status);
void AddPgoServer(CLI::App& group, int& exit_status);
void AddPgoUpload(CLI::App& group, int& exit_status);
void AddPgoWorker(CLI::App& group, int& exit_status);

// As AddVerb(). Each option with a long name, --api-url, has the variables
// WALLPROF_PGO_API_URL and AUTOPGO_API_URL; where both are set the first
// counts. They are read for the verb that is called alone, since all have the
// same.
CLI::App* AddPgoVerb(CLI::App& group, const std::string& name,
                     const std::string& description, int& exit_status,
                     std::function<absl::Status()> run);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PGO_VERB_H_
