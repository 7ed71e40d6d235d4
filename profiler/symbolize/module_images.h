// The files that describe one module: its own, and those with what is not in
// it.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_MODULE_IMAGES_H_
#define WALLPROF_PROFILER_SYMBOLIZE_MODULE_IMAGES_H_

#include <memory>
#include <string>
#include <vector>

#include "profiler/symbolize/debug_locator.h"
#include "profiler/symbolize/dwarf/source_search.h"
#include "profiler/symbolize/elf_image.h"

namespace wallprof::symbolize {

// What is said where a part of the debug information is in a file that is not
// there.
inline constexpr char kLacksAlternate[] =
    "the file that it shares with others is missing";

// Not thread-safe.
class ModuleImages {
 public:
  // Of `image`, the file at `path`. It outlives this.
  ModuleImages(const ElfImage& image, const std::string& path,
               const DebugPlaces& debug_places);

  // Those with symbols, the one with most of them first.
  std::vector<const ElfImage*> with_symbols() const;

  // The one with debug information, if any has it.
  const ElfImage& debug() const {
    return debug_.image != nullptr ? *debug_.image : image_;
  }
  const std::string& debug_path() const {
    return debug_.image != nullptr ? debug_.path : path_;
  }
  bool has_debug_information() const;

  // Whether that is so; see kLacksAlternate.
  bool lacks_alternate() const;

  // These files, which stay here, to search in without hurry.
  SourceFiles source_files() const;

 private:
  const ElfImage& image_;
  const std::string path_;
  LocatedImage debug_;
  LocatedImage alternate_;
  std::unique_ptr<ElfImage> mini_;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_MODULE_IMAGES_H_
