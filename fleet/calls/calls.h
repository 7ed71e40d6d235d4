// Calls back into the program: of its log, its sources, its variables.
//
// Other threads of the profiler have descriptors of their own, by whose numbers
// the program's are not to be reached. This one has the program's.
#ifndef WALLPROF_FLEET_CALLS_CALLS_H_
#define WALLPROF_FLEET_CALLS_CALLS_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace wallprof::fleet {

// Thread-safe.
class Calls {
 public:
  // Body of the thread that makes the calls, until Finish.
  void Run();

  // Has it made soon; dropped where hundreds wait, since none is being made.
  void Post(std::function<void()> call);

  // Has it made, and waits for that.
  void Do(const std::function<void()>& call);

  // Has everything made that was posted, and returns once Run has returned. To
  // be called if there is such a thread.
  void Finish();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool finishing_ = false;
  bool ended_ = false;
};

}  // namespace wallprof::fleet

#endif  // WALLPROF_FLEET_CALLS_CALLS_H_
