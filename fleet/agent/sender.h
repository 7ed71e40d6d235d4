// Sends what waits, the oldest first, for as long as it takes.
#ifndef WALLPROF_FLEET_AGENT_SENDER_H_
#define WALLPROF_FLEET_AGENT_SENDER_H_

#include <string>

#include "absl/time/time.h"
#include "fleet/agent/clock.h"
#include "fleet/agent/collector.h"
#include "fleet/agent/outbox.h"
#include "fleet/agent/schedule.h"
#include "fleet/agent/tally.h"
#include "fleet/log/log_line.h"

namespace wallprof::agent {

// For one thread. All that it is made of must outlive it.
class Sender {
 public:
  Sender(Outbox& outbox, Collector& collector, const Clock& clock,
         Random random, Tally& tally, fleet::Log log);

  // Sends one, if there is one and it is time. Returns when to be called again,
  // by the steady clock; InfiniteFuture if nothing waits.
  absl::Time Step();

 private:
  absl::Time Send(const Outbox::Item& item);
  absl::Duration MustSettle(const Outbox::Item& item) const;
  absl::Time Arrived(const Parcel& parcel, bool confirmed);
  absl::Time Lost(const Parcel& parcel, const Collector::Reply& reply,
                  int64_t AgentStatistics::Lost::*count);
  absl::Time Wait(const Parcel& parcel, const Collector::Reply& reply,
                  bool unsure);

  Outbox& outbox_;
  Collector& collector_;
  const Clock& clock_;
  const Random random_;
  Tally& tally_;
  const fleet::Log log_;

  absl::Time not_before_ = absl::InfinitePast();
  int failures_ = 0;  // since something was last taken
  // What the collector answered with an error of its own, time and again.
  std::string stuck_;
  int stuck_failures_ = 0;
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_SENDER_H_
