#include "cli/daemon_options.h"

#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "cli/settings.h"

namespace wallprof::cli {
namespace {

constexpr double kMib = 1 << 20;

std::string CheckListen(const std::string& text) {
  return std::string(serving::CheckAddress(text).message());
}

void AddAccess(CLI::App& verb, serving::DaemonOptions& options) {
  constexpr char kGroup[] = "Who may ask";
  verb.add_option("--tokens", options.tokens,
                  "File of bearer tokens, lines of SCOPE TOKEN with a scope of "
                  "read, write or admin; read again with SIGHUP. Without it "
                  "everybody may do everything")
      ->type_name("FILE")
      ->group(kGroup);
  verb.add_option("--allow-host", options.allowed_hosts,
                  "Name that browsers may know this address by, besides "
                  "localhost; several may be given, or joined by commas")
      ->delimiter(',')
      ->type_name("NAME")
      ->group(kGroup);
  CLI::Option* cert =
      verb.add_option("--tls-cert", options.tls_cert,
                      "PEM file of the certificate, with those that lead to "
                      "its root; read again with SIGHUP")
          ->type_name("FILE")
          ->group(kGroup);
  verb.add_option("--tls-key", options.tls_key, "PEM file of its key")
      ->type_name("FILE")
      ->group(kGroup)
      ->needs(cert);
}

void AddTelling(CLI::App& verb, serving::DaemonOptions& options) {
  constexpr char kGroup[] = "What is told, on standard error";
  static const std::map<std::string, serving::LogFormat> formats = {
      {"logfmt", serving::LogFormat::kLogfmt},
      {"json", serving::LogFormat::kJson}};
  static const std::map<std::string, serving::LogLevel> levels = {
      {"debug", serving::LogLevel::kDebug},
      {"info", serving::LogLevel::kInfo},
      {"warn", serving::LogLevel::kWarning},
      {"error", serving::LogLevel::kError}};
  verb.add_option_function<std::string>(
          "--log-format",
          [&options](const std::string& name) {
            options.log_format = formats.at(name);
          },
          "How lines are written")
      ->check(CLI::IsMember({"logfmt", "json"}))
      ->default_str("logfmt")
      ->group(kGroup);
  verb.add_option_function<std::string>(
          "-l,--log-level",
          [&options](const std::string& name) {
            options.log_level = levels.at(name);
          },
          "The least that is told; requests are of level info")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->default_str("info")
      ->group(kGroup);
}

}  // namespace

void DaemonArguments::AddTo(CLI::App& verb, const std::string& listen) {
  given_.listen = listen;
  request_timeout_ = absl::FormatDuration(given_.request_timeout);
  exit_timeout_ = absl::FormatDuration(given_.exit_timeout);
  max_body_mib_ = static_cast<double>(given_.max_body_bytes) / kMib;
  verb.add_option("--listen", given_.listen,
                  "HOST:PORT, PORT or unix:/path; port 0 takes a free one")
      ->capture_default_str()
      ->check(CheckListen);
  AddAccess(verb, given_);
  constexpr char kGroup[] = "Limits";
  verb.add_option("--max-body-mib", max_body_mib_,
                  "Largest request, in MiB, also once it is unpacked")
      ->capture_default_str()
      ->check(CLI::PositiveNumber)
      ->group(kGroup);
  verb.add_option("--max-requests", given_.max_requests,
                  "Requests answered at once; others wait")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096))
      ->group(kGroup);
  verb.add_option("--request-timeout", request_timeout_,
                  "How long a request may take to arrive")
      ->capture_default_str()
      ->check(CheckDuration)
      ->group(kGroup);
  verb.add_option("--exit-timeout", exit_timeout_,
                  "How long running requests may take to end with SIGTERM")
      ->capture_default_str()
      ->check(CheckDuration)
      ->group(kGroup);
  AddTelling(verb, given_);
}

serving::DaemonOptions DaemonArguments::Options(
    const std::string& metrics_prefix) const {
  if (given_.tls_cert.empty() != given_.tls_key.empty()) {
    throw CLI::ValidationError("--tls-cert", "needs --tls-key");
  }
  serving::DaemonOptions options = given_;
  options.request_timeout = DurationOf(request_timeout_);
  options.exit_timeout = DurationOf(exit_timeout_);
  options.max_body_bytes =
      static_cast<size_t>(std::lround(max_body_mib_ * kMib));
  options.metrics_prefix = metrics_prefix;
  return options;
}

void Announce(const std::string& doing, const std::string& url) {
  serving::WriteToStandardError(
      absl::StrCat("wallprof: ", doing, " at ", url, "\n"));
}

}  // namespace wallprof::cli
