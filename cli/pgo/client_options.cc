#include "cli/pgo/client_options.h"

#include <algorithm>
#include <iostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/settings.h"
#include "cli/token_file.h"
#include "fleet/pgo/names.h"

namespace wallprof::cli {
namespace {

std::string CheckUrl(const std::string& text) {
  return std::string(pgo::CheckApiUrl(text).message());
}

std::string CheckAppName(const std::string& text) {
  return std::string(pgo::CheckApp(text).message());
}

std::string CheckToken(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isgraph(c); })
             ? ""
             : "the token has a blank or a control character";
}

}  // namespace

void ClientArguments::AddTo(CLI::App& verb) {
  verb.add_option("-u,--api-url", api_url_,
                  "The server's URL, perhaps with a path before /api")
      ->capture_default_str()
      ->type_name("URL")
      ->check(CheckUrl);
  CLI::Option* token =
      verb.add_option(
              "--token", token_,
              "The server's token; others see a program's arguments, so it "
              "is better as a variable or in a file")
          ->check(CheckToken);
  verb.add_option("--token-file", token_file_,
                  "File of the token, read for each request")
      ->type_name("FILE")
      ->check(CheckTokenFile)
      ->excludes(token);
  verb.add_option("--cacert", certificates_,
                  "File of the certificates to trust, instead of the system's")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  verb.add_option("--timeout", timeout_, "How long a request may take")
      ->capture_default_str()
      ->check(CheckDuration);
}

void ClientArguments::AddLogLevelTo(CLI::App& verb) {
  verb.add_option("-l,--log-level", log_level_,
                  "The least that is told on standard error; what was done is "
                  "of level info")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
}

pgo::ClientOptions ClientArguments::Options() const {
  pgo::ClientOptions options;
  options.api_url = api_url_;
  if (!token_file_.empty()) {
    options.token = [path = token_file_] { return ReadToken(path); };
  } else if (!token_.empty()) {
    options.token = [token = token_] { return token; };
  }
  options.certificates = certificates_;
  options.timeout = DurationOf(timeout_);
  return options;
}

bool ClientArguments::is_quiet() const {
  return log_level_ == "warn" || log_level_ == "error";
}

void ClientArguments::Tell(const std::string& sentence) const {
  if (!is_quiet()) std::cerr << "wallprof: " << sentence << std::endl;
}

void ClientArguments::TellLines(const std::string& lines) const {
  if (!is_quiet()) std::cerr << lines << std::flush;
}

void AddAppArgument(CLI::App& verb, std::string& app) {
  verb.add_option("app", app, "What the program is called")
      ->type_name("APP")
      ->required()
      ->check(CheckAppName);
}

void AddAppOption(CLI::App& verb, std::string& app) {
  verb.add_option("-a,--app", app, "What the program is called")
      ->type_name("APP")
      ->required()
      ->check(CheckAppName);
}

}  // namespace wallprof::cli
