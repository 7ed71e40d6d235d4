#include "fleet/agent/sending.h"

#include <utility>

#include "fleet/agent/collector.h"
#include "fleet/agent/schedule.h"
#include "fleet/agent/sender.h"

namespace wallprof::agent {

Sending::Sending(Outbox& outbox, SendingOptions options, const Clock& clock,
                 Tally& tally, Stop& stop)
    : outbox_(outbox),
      options_(std::move(options)),
      clock_(clock),
      tally_(tally),
      stop_(stop) {}

void Sending::Run() {
  Collector collector(options_.collector, options_.exchange, options_.timeout,
                      clock_, [this] { return stop_.raised(); });
  Sender sender(outbox_, collector, clock_, NewRandom(), tally_, options_.log);
  while (!stop_.raised()) {
    stop_.WaitForWakeUntil(sender.Step());
  }
  std::lock_guard lock(mutex_);
  ended_ = true;
  ended_changed_.notify_all();
}

void Sending::AwaitEnd() {
  std::unique_lock lock(mutex_);
  ended_changed_.wait(lock, [this] { return ended_; });
}

}  // namespace wallprof::agent
