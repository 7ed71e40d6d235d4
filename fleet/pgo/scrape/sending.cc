#include "fleet/pgo/scrape/sending.h"

#include <algorithm>

namespace wallprof::pgo {
namespace {

// A server that is started anew is back after about that; later ones let one
// that has too much to do breathe.
constexpr absl::Duration kFirstWait = absl::Milliseconds(500);
constexpr absl::Duration kLongestWait = absl::Seconds(15);

}  // namespace

absl::Status SendPatiently(const std::function<absl::Status()>& upload,
                           absl::Time deadline, const Pace& pace,
                           int64_t& retries) {
  for (absl::Duration longest = kFirstWait;;
       longest = std::min(2 * longest, kLongestWait)) {
    const absl::Status status = upload();
    if (!absl::IsUnavailable(status)) return status;
    const absl::Duration wait = longest * (1 + pace.random()) / 2;
    if (pace.now() + wait > deadline || !pace.wait(wait)) return status;
    ++retries;
  }
}

}  // namespace wallprof::pgo
