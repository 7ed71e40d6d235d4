// One GET request.
#ifndef WALLPROF_CLI_DOWNLOAD_H_
#define WALLPROF_CLI_DOWNLOAD_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/fetch_url.h"

namespace wallprof::cli {

// The body of the answer. Errors name the URL; one that the server gives says
// its status and its text. `waiting` is called some
// twenty times a second.
absl::StatusOr<std::string> Download(const FetchUrl& url,
                                     absl::Duration timeout,
                                     std::function<void()> waiting);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_DOWNLOAD_H_
