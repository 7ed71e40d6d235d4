// Whether modules were loaded since one last looked, at the cost of a load.
//
// The loader counts the modules that it ever added. Its own way to read that
// count, dl_iterate_phdr, takes a lock that fork does not reset; a child
// forked while the sampler held it would hang in its first dlopen. So the
// count is found once, at start, inside the loader's data: among its words,
// the one that equals the count before and after each of a few dlopens.
#ifndef WALLPROF_PROFILER_UNWIND_LOADER_WATCH_H_
#define WALLPROF_PROFILER_UNWIND_LOADER_WATCH_H_

#include <cstdint>

namespace wallprof::unwind {

class LoaderWatch {
 public:
  // Finds the count with the help of `load`, which must load a module that
  // may be new to the process. Not on the sampler's thread: calls
  // dl_iterate_phdr. Later calls reuse what the first one found.
  template <typename Load>
  static LoaderWatch Find(Load load) {
    const Candidates before = Candidates::Collect();
    load();
    return before.Narrow();
  }

  // False when the count was not found; maps must be compared instead.
  bool found() const { return count_ != nullptr; }

  // Modules added so far. Any thread, any time. Read without the loader's
  // lock: a value that is being changed is seen before or after.
  uint64_t added() const;

  // Whether no module is being mapped or unmapped just now. Any thread, any
  // time; of the program's own namespace. True where that cannot be known.
  bool settled() const;

  // Where that number stands, for the life of the process; nullptr where it was
  // not found.
  const uint64_t* count() const { return count_; }

 private:
  struct Candidates {
    uint64_t added = 0;
    static Candidates Collect();
    LoaderWatch Narrow() const;
  };

  const uint64_t* count_ = nullptr;
};

}  // namespace wallprof::unwind

#endif  // WALLPROF_PROFILER_UNWIND_LOADER_WATCH_H_
