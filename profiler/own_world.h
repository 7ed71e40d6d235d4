// This process, as threads::DescribeWait looks at it.
#ifndef WALLPROF_PROFILER_OWN_WORLD_H_
#define WALLPROF_PROFILER_OWN_WORLD_H_

#include "profiler/threads/wait_target.h"
#include "profiler/unwind/memory.h"

namespace wallprof {

// For the thread that made it; holds a descriptor of that thread's.
class OwnWorld {
 public:
  OwnWorld();
  OwnWorld(const OwnWorld&) = delete;
  OwnWorld& operator=(const OwnWorld&) = delete;

  const threads::WaitWorld& world() const { return world_; }
  // To remember peers; see WaitWorld.
  void set_peer(std::function<std::string(const std::string&)> peer) {
    world_.peer = std::move(peer);
  }

 private:
  const unwind::Memory memory_;
  threads::WaitWorld world_;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_OWN_WORLD_H_
