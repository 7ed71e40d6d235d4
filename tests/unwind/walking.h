// An unwinder of this process, with names for what it finds.
#ifndef WALLPROF_TESTS_UNWIND_WALKING_H_
#define WALLPROF_TESTS_UNWIND_WALKING_H_

#include <memory>
#include <string>
#include <vector>

#include "profiler/stacks/recording.h"
#include "profiler/unwind/memory.h"
#include "profiler/unwind/unwinder.h"

namespace wallprof::unwind {

// For one thread.
class Walking {
 public:
  Walking();

  // Anew: modules may have come and gone.
  void ReadModules() { unwinder_->SetModules(ReadMaps()); }

  const Walk& Of(const StackCopy& copy);

  // Names of frames, leaf first, as profiles have them.
  std::vector<std::string> NamesOf(const std::vector<stacks::Frame>& frames);
  std::vector<std::string> Names() {
    return NamesOf({walk_->stack().begin(), walk_->stack().end()});
  }

  // Addresses of the last walk's frames; 0 for a pseudo-frame.
  std::vector<uint64_t> Addresses() const;

  const Memory& memory() const { return memory_; }
  Unwinder& unwinder() { return *unwinder_; }
  stacks::Recording& recording() { return *recording_; }

 private:
  Memory memory_;
  std::unique_ptr<stacks::Recording> recording_;
  std::unique_ptr<Unwinder> unwinder_;
  std::unique_ptr<Walk> walk_ = std::make_unique<Walk>();
};

}  // namespace wallprof::unwind

#endif  // WALLPROF_TESTS_UNWIND_WALKING_H_
