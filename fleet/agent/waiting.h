// Waits that others can end. The threads that wait have descriptors of their
// own, which no other thread could write to; so they look up now and then.
#ifndef WALLPROF_FLEET_AGENT_WAITING_H_
#define WALLPROF_FLEET_AGENT_WAITING_H_

#include <poll.h>

#include <algorithm>

#include "absl/time/time.h"
#include "fleet/agent/clock.h"

namespace wallprof::agent {

// How long a wait goes on before it looks whether it is still wanted. Stopping
// takes that long; while a send lasts it costs fifty wake-ups a second.
inline constexpr absl::Duration kLookUp = absl::Milliseconds(20);

// poll() for at most kLookUp, and not beyond `deadline`.
inline int PollUntil(pollfd* descriptors, nfds_t count, absl::Time deadline) {
  const absl::Duration left =
      std::clamp(deadline - SteadyNow(), absl::ZeroDuration(), kLookUp);
  return poll(descriptors, count,
              static_cast<int>(absl::ToInt64Milliseconds(
                  absl::Ceil(left, absl::Milliseconds(1)))));
}

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_WAITING_H_
