// Bundles over HTTP, and the program's variables, which are also a part of
// them.
#ifndef WALLPROF_HTTP_PAGES_BUNDLE_PAGE_H_
#define WALLPROF_HTTP_PAGES_BUNDLE_PAGE_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wallprof/bundle.h"
#include "wallprof/http.h"

namespace wallprof::http {

// For how long a bundle is to measure: `profile=5s`; zero where it is not
// given. InvalidArgument, one sentence naming the parameter, for anything else.
absl::StatusOr<absl::Duration> ParseBundleQuery(std::string_view query,
                                                absl::Duration max);

// A bundle, named for where it came from. Blocks for as long as it measures.
absl::StatusOr<HttpResponse> BundleResponse(BundleSource& source,
                                            const BundleOptions& options);

// Its headers, for a client that wants no more than them.
HttpResponse BundleHeaders(const BundleIdentity& identity, absl::Time capture);

// As Go's /debug/vars.
HttpResponse VariablesPage();

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_PAGES_BUNDLE_PAGE_H_
