// The thread that sends: until it is stopped, beside those that take.
#ifndef WALLPROF_FLEET_AGENT_SENDING_H_
#define WALLPROF_FLEET_AGENT_SENDING_H_

#include <condition_variable>
#include <mutex>
#include <string>

#include "absl/time/time.h"
#include "fleet/agent/clock.h"
#include "fleet/agent/outbox.h"
#include "fleet/agent/stop.h"
#include "fleet/agent/tally.h"
#include "fleet/log/log_line.h"
#include "wallprof/agent.h"

namespace wallprof::agent {

struct SendingOptions {
  std::string collector;
  AgentExchange exchange;
  absl::Duration timeout;
  fleet::Log log;
};

class Sending {
 public:
  // All must outlive it. `stop` ends it.
  Sending(Outbox& outbox, SendingOptions options, const Clock& clock,
          Tally& tally, Stop& stop);

  // The thread's body.
  void Run();

  // There is something to send. Thread-safe.
  void Wake() { stop_.Wake(); }

  // Returns once Run has returned.
  void AwaitEnd();

 private:
  Outbox& outbox_;
  const SendingOptions options_;
  const Clock& clock_;
  Tally& tally_;
  Stop& stop_;

  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_SENDING_H_
