// The options of verbs that ask a server.
#ifndef WALLPROF_CLI_PGO_CLIENT_OPTIONS_H_
#define WALLPROF_CLI_PGO_CLIENT_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "fleet/pgo/client/client.h"

namespace wallprof::cli {

// As given; Options() has them as the client takes them.
class ClientArguments {
 public:
  // Adds --api-url, --token, --token-file, --cacert and --timeout to `verb`;
  // `*this` must outlive it.
  void AddTo(CLI::App& verb);

  // Adds --log-level, by which Tell() is quiet; daemons have their own.
  void AddLogLevelTo(CLI::App& verb);

  pgo::ClientOptions Options() const;

  absl::StatusOr<std::unique_ptr<pgo::Client>> NewClient() const {
    return pgo::Client::Create(Options());
  }

  // `sentence` on standard error, unless less is to be told.
  void Tell(const std::string& sentence) const;

  // The same of whole lines, as they are.
  void TellLines(const std::string& lines) const;

 private:
  bool is_quiet() const;

  std::string api_url_ = "http://localhost:8080";
  std::string token_;
  std::string token_file_;
  std::string certificates_;
  std::string timeout_ = "60s";
  std::string log_level_ = "info";
};

// Adds the positional APP, or the option -a,--app, which are required.
void AddAppArgument(CLI::App& verb, std::string& app);
void AddAppOption(CLI::App& verb, std::string& app);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PGO_CLIENT_OPTIONS_H_
