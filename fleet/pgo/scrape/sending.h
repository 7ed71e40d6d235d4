// A profile on its way to the server.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SENDING_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SENDING_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace wallprof::pgo {

// Takes a profile; `id` and the errors as in client.h: Unavailable is worth
// another try.
using UploadProfile =
    std::function<absl::Status(std::string_view app, std::string_view bytes,
                               std::string_view version, int64_t id)>;

// Time and chance as a sender sees them; tests give others.
struct Pace {
  std::function<absl::Time()> now;
  std::function<double()> random;  // from 0 up to and without 1

  // False: it is not wanted any more.
  std::function<bool(absl::Duration)> wait;
};

// Calls `upload` until it is done, fails for good, or no try could begin until
// `deadline`; at least once. The waits in between double and are partly chance,
// so that scrapers that failed together do not come back together. `retries`
// counts the tries after the first.
absl::Status SendPatiently(const std::function<absl::Status()>& upload,
                           absl::Time deadline, const Pace& pace,
                           int64_t& retries);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SENDING_H_
