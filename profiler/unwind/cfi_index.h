// Which function an address belongs to, as the unwind tables tell it.
//
// Finds the frame description entry (FDE) of an address by the binary search
// table of .eh_frame_hdr, and reads the few facts about it that the walk needs
// beside the unwinding itself: where the function starts, and whether it is a
// root of stacks. Format: LSB 5.0, "Exception Frames"; DWARF 4, 6.4.
#ifndef WALLPROF_PROFILER_UNWIND_CFI_INDEX_H_
#define WALLPROF_PROFILER_UNWIND_CFI_INDEX_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "profiler/unwind/memory.h"
#include "profiler/unwind/module_map.h"

namespace wallprof::unwind {

struct FrameDescription {
  uint64_t start = 0;  // of the function's code
  uint64_t limit = 0;
  uint64_t table_entry = 0;      // address of its entry in the search table
  uint64_t frame_header = 0;     // of its image
  bool is_signal_frame = false;  // sigreturn's trampoline
  bool is_root = false;          // its return address is undefined
};

class CfiIndex {
 public:
  explicit CfiIndex(PageCache& pages) : pages_(pages) { Clear(); }

  // To be called with each new map; forgets what was known of the old one.
  // `map` must outlive its use here.
  void SetMap(const ModuleMap* map);

  // The description that covers `pc`; nullptr if there is none. Valid until
  // the next call.
  const FrameDescription* Find(uint64_t pc);

 private:
  struct Cached {
    uint64_t pc = 0;
    bool covered = false;
    FrameDescription description;
  };
  // Programs are sampled at some thousand distinct addresses; a miss costs a
  // binary search of about 15 reads.
  static constexpr size_t kCached = 8192;

  void Clear();
  bool Search(uint64_t pc, FrameDescription& description);
  bool ReadFde(uint64_t fde, FrameDescription& description);

  PageCache& pages_;
  const ModuleMap* map_ = nullptr;
  std::unique_ptr<Cached[]> cached_ = std::make_unique<Cached[]>(kCached);
};

}  // namespace wallprof::unwind

#endif  // WALLPROF_PROFILER_UNWIND_CFI_INDEX_H_
