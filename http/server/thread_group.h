// Threads that end together: counts those that were started and waits for the
// last. How a thread is made is the caller's matter, so that the profiler can
// keep these out of its samples.
#ifndef WALLPROF_HTTP_SERVER_THREAD_GROUP_H_
#define WALLPROF_HTTP_SERVER_THREAD_GROUP_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"

namespace wallprof::http {

// Runs `body` on a new thread called `name`, as Profiler::RunPrivately does.
using SpawnThread = std::function<absl::Status(const std::string& name,
                                               std::function<void()> body)>;

class ThreadGroup {
 public:
  explicit ThreadGroup(SpawnThread spawn);

  // The spawner's error, if it has one. Thread-safe.
  absl::Status Start(std::function<void()> body);

  // Returns once every body has returned. Thread-safe.
  void Wait();

 private:
  // Shared with the threads, which touch it last of all.
  struct Count {
    std::mutex mutex;
    std::condition_variable ended;
    int running = 0;
  };

  const SpawnThread spawn_;
  const std::shared_ptr<Count> count_;
};

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SERVER_THREAD_GROUP_H_
