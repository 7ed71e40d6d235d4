#include <string>
#include <utility>

#include "cli/pgo/verb.h"
#include "cli/settings.h"
#include "cli/verb.h"

namespace wallprof::cli {

CLI::App* AddPgoVerb(CLI::App& group, const std::string& name,
                     const std::string& description, int& exit_status,
                     std::function<absl::Status()> run) {
  CLI::App* verb =
      AddVerb(group, name, description, exit_status, std::move(run));
  verb->footer(
      "Variables may begin with AUTOPGO_ instead of WALLPROF_PGO_, too.");
  verb->preparse_callback([verb](size_t) {
    AddVariables(*verb, {"WALLPROF_PGO_", "AUTOPGO_"});
  });
  return verb;
}

void AddPgo(CLI::App& program, int& exit_status) {
  CLI::App* group = program.add_subcommand(
      "pgo",
      "Profiles for the next build: gathers those of running programs, adds "
      "them up, and hands out the sum");
  AddVersion(*group);
  group->require_subcommand(1);
  AddPgoServe(*group, exit_status);
  AddPgoScrape(*group, exit_status);
  AddPgoServer(*group, exit_status);
  AddPgoWorker(*group, exit_status);
  AddPgoUpload(*group, exit_status);
  AddPgoDownload(*group, exit_status);
  AddPgoExport(*group, exit_status);
  AddPgoList(*group, exit_status);
  AddPgoDelete(*group, exit_status);
  AddPgoClean(*group, exit_status);
}

}  // namespace wallprof::cli
