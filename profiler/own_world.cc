#include "profiler/own_world.h"

#include "profiler/threads/cpu_clock.h"

namespace wallprof {

OwnWorld::OwnWorld() {
  world_.read = [this](uint64_t address, void* to, size_t size) {
    return memory_.Read(address, to, size);
  };
  // The clocks of other processes' threads cannot be read by their number.
  world_.is_thread = [](threads::Tid tid) {
    return threads::CpuTimeOf(tid) >= 0;
  };
}

}  // namespace wallprof
