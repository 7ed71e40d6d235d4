// `wallprof`: profiles on the command line.
#include <CLI/CLI.hpp>
#include <string>

#include "cli/verb.h"

int main(int argc, char** argv) {
  CLI::App program("Wall-clock profiles of C++ programs");
  program.name("wallprof");
  program.require_subcommand(1);
  wallprof::cli::AddVersion(program);
  program.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string("wallprof: ") + error.what() +
           "\nRun with --help for more information.\n";
  });

  int exit_status = 0;
  wallprof::cli::AddRun(program, exit_status);
  wallprof::cli::AddFetch(program, exit_status);
  wallprof::cli::AddTop(program, exit_status);
  wallprof::cli::AddConvert(program, exit_status);
  wallprof::cli::AddDiff(program, exit_status);
  wallprof::cli::AddMerge(program, exit_status);
  wallprof::cli::AddAgent(program, exit_status);
  wallprof::cli::AddCollect(program, exit_status);
  wallprof::cli::AddPgo(program, exit_status);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // 0 for --help and --version.
    return program.exit(error) == 0 ? 0 : wallprof::cli::kWrongUsage;
  }
  return exit_status;
}
