// Threads that answer connections: made as connections come, up to a limit,
// ended again when there is nothing to do. Connections beyond what they can
// take wait in a short line; beyond that they are the caller's to refuse.
#ifndef WALLPROF_HTTP_SERVER_WORKER_POOL_H_
#define WALLPROF_HTTP_SERVER_WORKER_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

#include "http/server/thread_group.h"
#include "http/socket/file_descriptor.h"

namespace wallprof::http {

class WorkerPool {
 public:
  // `answer` is called on the workers' threads, several at once.
  // At most `max_waiting` connections wait for a worker.
  WorkerPool(ThreadGroup& threads, int max_workers, size_t max_waiting,
             std::function<void(FileDescriptor)> answer);

  // Hands over a connection. Returned open: it cannot be taken now.
  FileDescriptor Take(FileDescriptor connection);

  // Connections that wait or are being answered.
  size_t Connections();

  // Closes connections that wait and returns when no worker runs any more.
  void Stop();

 private:
  void Work();

  ThreadGroup& threads_;
  const int max_workers_;
  const size_t max_waiting_;
  const std::function<void(FileDescriptor)> answer_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<FileDescriptor> waiting_;
  size_t idle_ = 0;
  size_t answering_ = 0;
  int workers_ = 0;
  bool stopping_ = false;
};

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SERVER_WORKER_POOL_H_
