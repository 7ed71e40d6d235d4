// A signal that the profiler's handler handles, and requests for it.
#ifndef WALLPROF_TESTS_CAPTURE_SIGNAL_HANDLED_SIGNAL_H_
#define WALLPROF_TESTS_CAPTURE_SIGNAL_HANDLED_SIGNAL_H_

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>

#include "profiler/capture/signal/cpu_timer.h"
#include "profiler/capture/signal/handler.h"
#include "profiler/capture/signal/request.h"

namespace wallprof::capture {

inline pid_t OwnTid() { return static_cast<pid_t>(syscall(SYS_gettid)); }

// The program's own action for `signal` while it lives; what was there before
// comes back.
class ScopedAction {
 public:
  ScopedAction(int signal, const struct sigaction& action) : signal_(signal) {
    sigaction(signal, &action, &before_);
  }
  ~ScopedAction() { sigaction(signal_, &before_, nullptr); }
  ScopedAction(const ScopedAction&) = delete;
  ScopedAction& operator=(const ScopedAction&) = delete;

 private:
  const int signal_;
  struct sigaction before_;
};

inline struct sigaction DefaultAction() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  return action;
}

// Two requests that signals may name; the memory stays, as it must.
inline Request* PublishedRequests() {
  static Request* const requests = [] {
    auto* made = new Request[2]();
    PublishRequests(made, made + 2);
    return made;
  }();
  return requests;
}

// Sends the calling thread the signal of an armed request, and returns once it
// was handled.
inline void AskSelf(Request& request, int signal = SIGURG) {
  request.state = Request::kArmed;
  SignalThread(OwnTid(), signal, &request);
}

}  // namespace wallprof::capture

#endif  // WALLPROF_TESTS_CAPTURE_SIGNAL_HANDLED_SIGNAL_H_
