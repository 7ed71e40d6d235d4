// The one profiler of a process, and what a fork does to it.
#ifndef WALLPROF_PROFILER_CAPTURE_ENGINE_H_
#define WALLPROF_PROFILER_CAPTURE_ENGINE_H_

#include <signal.h>

#include <memory>

#include "absl/status/statusor.h"
#include "profiler/capture/session.h"

namespace wallprof::capture {

class Engine {
 public:
  // AlreadyExists when there is one; FailedPrecondition when libunwind cannot
  // be loaded.
  static absl::StatusOr<std::unique_ptr<Engine>> Start(
      const SessionOptions& options, bool restart_in_child);

  // In the child of a fork nothing is stopped, since nothing runs.
  ~Engine();

  // What pthread_atfork calls; for whoever hears of forks another way.
  static void BeforeFork();
  static void AfterForkInParent();
  static void AfterForkInChild();

  // Whether a signal is one by which a thread is asked for its stack. Async-
  // signal-safe; to be called when there is an engine, or was.
  static bool OwnsSignal(const siginfo_t& info);

  // What the program does about the signal; as SetProgramAction. False also
  // when no engine was started.
  static bool SetProgramAction(const struct sigaction* action,
                               struct sigaction* before);

  // Whether the calling thread has an alternate stack too small for our
  // handler: from its return on it has no signal of ours under way, and is not
  // asked. To be called with all signals blocked.
  static void KeepOffThisThread(bool off);

  // nullptr in the child of a fork, unless it was to be restarted there.
  Session* session() const { return session_.get(); }

 private:
  Engine(const SessionOptions& options, bool restart_in_child)
      : options_(options), restart_in_child_(restart_in_child) {}

  const SessionOptions options_;
  const bool restart_in_child_;
  unwind::LoaderWatch loader_;
  std::unique_ptr<Session> session_;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_ENGINE_H_
