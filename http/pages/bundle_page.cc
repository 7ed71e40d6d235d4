#include "http/pages/bundle_page.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "fleet/bundle/escape.h"
#include "fleet/bundle/write.h"
#include "http/measurement.h"
#include "http/query.h"
#include "http/response.h"
#include "wallprof/variables.h"

namespace wallprof::http {

absl::StatusOr<absl::Duration> ParseBundleQuery(std::string_view query,
                                                absl::Duration max) {
  absl::StatusOr<Query> parameters = Query::Parse(query);
  if (!parameters.ok()) return parameters.status();
  if (parameters->Take("trace").has_value()) {
    return absl::InvalidArgumentError(
        "Parameter 'trace' is not offered: there are no execution traces of "
        "programs in C++. threads.json is in every bundle.");
  }
  const std::optional<std::string> text = parameters->Take("profile");
  if (absl::Status left = parameters->CheckAllTaken(); !left.ok()) return left;
  if (!text.has_value()) return absl::ZeroDuration();
  absl::string_view number = *text;
  if (absl::ConsumeSuffix(&number, "s")) {
    if (const auto seconds = SecondsOf(std::string(number), max)) {
      return *seconds;
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "Parameter 'profile' must be seconds like 5s or 0.5s, more than 0s and "
      "at most ",
      absl::ToDoubleSeconds(max), "s, not ", Quoted(*text), "."));
}

HttpResponse BundleHeaders(const BundleIdentity& identity, absl::Time capture) {
  HttpResponse response = Content("application/zip", "");
  const std::string base =
      identity.program.substr(identity.program.rfind('/') + 1);
  response.headers["Content-Disposition"] =
      absl::StrCat("attachment; filename=\"profile_", bundle::PathEscape(base),
                   "_", bundle::PathEscape(identity.process), "_",
                   bundle::FormatInstant(capture), ".zip\"");
  return response;
}

absl::StatusOr<HttpResponse> BundleResponse(BundleSource& source,
                                            const BundleOptions& options) {
  const absl::Time now = absl::Now();
  HttpResponse response = BundleHeaders(options.identity, now);
  const absl::StatusOr<BundleReport> written = bundle::WriteBundleAt(
      source, options, now, [&response](std::string_view bytes) {
        response.body.append(bytes.data(), bytes.size());
        return absl::OkStatus();
      });
  if (!written.ok()) return written.status();
  return response;
}

HttpResponse VariablesPage() {
  std::vector<std::string> problems;
  return Content(kJson, VariablesJson(problems));
}

}  // namespace wallprof::http
