// Which code lies where: the executable mappings of the process, and of each
// the ELF image it belongs to.
//
// Made from /proc/thread-self/maps and the images' own headers, never from
// the loader's lists: those need the loader's locks, and a child forked while
// one is held hangs in its first dlopen.
#ifndef WALLPROF_PROFILER_UNWIND_MODULE_MAP_H_
#define WALLPROF_PROFILER_UNWIND_MODULE_MAP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "profiler/stacks/recording.h"
#include "profiler/unwind/memory.h"

namespace wallprof::unwind {

// A line of /proc/PID/maps.
struct MapsEntry {
  uint64_t start = 0;
  uint64_t limit = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool is_private = false;
  uint64_t file_offset = 0;
  uint64_t inode = 0;
  std::string_view path;  // empty for anonymous memory
};

// Entries in order of address. Lines that cannot be read are skipped. The
// paths point into `text`.
std::vector<MapsEntry> ParseMaps(std::string_view text);

// The file, whole. Empty if it cannot be read.
std::string ReadMaps();

// A mapped ELF file: addresses are those at run time.
struct ElfImage {
  uint64_t start = 0;
  uint64_t limit = 0;
  uint64_t frame_header = 0;  // .eh_frame_hdr; 0: none
  uint64_t table = 0;         // its binary search table, 8 bytes an entry
  uint64_t table_entries = 0;
};

struct CodeRange {
  uint64_t start = 0;
  uint64_t limit = 0;
  stacks::ModuleId module = stacks::kNoModule;
  uint32_t image = 0;  // index in ModuleMap::images
};

// Immutable once made.
class ModuleMap {
 public:
  ModuleMap() = default;

  // Reads the headers of all images mapped now and enters new modules into
  // `recording`.
  static ModuleMap Read(std::string_view maps, const Memory& memory,
                        stacks::Recording& recording);

  // The executable mapping that holds `address`, or nullptr.
  const CodeRange* FindCode(uint64_t address) const;

  // The image any part of which holds `address`, or nullptr.
  const ElfImage* FindImage(uint64_t address) const;

  const ElfImage& image(const CodeRange& range) const {
    return images_[range.image];
  }

  bool empty() const { return code_.empty(); }

 private:
  std::vector<CodeRange> code_;   // by address
  std::vector<ElfImage> images_;  // by address
};

}  // namespace wallprof::unwind

#endif  // WALLPROF_PROFILER_UNWIND_MODULE_MAP_H_
