// When the modules are read again: after one was loaded, or when a walk met
// code that no module has.
#ifndef WALLPROF_PROFILER_CAPTURE_MODULE_WATCH_H_
#define WALLPROF_PROFILER_CAPTURE_MODULE_WATCH_H_

#include <cstdint>
#include <functional>
#include <string>

#include "profiler/unwind/loader_watch.h"

namespace wallprof::capture {

// For the sampler's thread alone.
class ModuleWatch {
 public:
  // Given the text of the maps, which are not empty.
  using Use = std::function<void(const std::string& maps)>;

  explicit ModuleWatch(unwind::LoaderWatch loader) : loader_(loader) {}

  // Reads what modules there are, until none was loaded meanwhile: else what
  // was read could be of before or after. Where that has no end, the next
  // Update tries again, and nothing is known until then.
  void Reload(const Use& use);

  // Once a tick: reads them where that may be needed and is not too costly.
  void Update(const Use& use);

  // Whether the modules that were read are those that there are.
  bool AreKnown() const { return loader_.added() == added_; }

  // A walk met code that no module has.
  void MetUnknownCode() { unknown_code_ = true; }

  // The loader's count of modules, of when they were read.
  uint64_t added() const { return added_; }

  // Whether reading the maps again would not take too much of the time.
  bool MayReadMaps() const;

  // Empty where they cannot be read.
  std::string ReadMaps();

 private:
  void Set(const std::string& maps, const Use& use);

  const unwind::LoaderWatch loader_;
  uint64_t added_ = 0;
  bool unknown_code_ = false;
  int64_t read_ns_ = 0;  // when
  int64_t cost_ns_ = 0;  // how long it took
  size_t hash_ = 0;      // of the lines with code
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_MODULE_WATCH_H_
