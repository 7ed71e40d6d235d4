// What is known of the code in one module: names from symbol tables, lines and
// inlined functions from debug information.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_MODULE_SEARCH_H_
#define WALLPROF_PROFILER_SYMBOLIZE_MODULE_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "profiler/symbolize/debug_locator.h"
#include "profiler/symbolize/elf_image.h"
#include "profiler/symbolize/name_cache.h"

namespace wallprof::symbolize {

// A module, and where to look for what is not in its file.
struct SearchedModule {
  const ElfImage& image;
  std::string path;  // of its file
  const DebugPlaces& debug_places;
  size_t max_source_bytes;
  const std::function<bool()>& hurry;  // see Symbolizer::Symbolize
};

// "libc.so.6+0x891f4" of an address in the file at `path`.
FoundFrame PlaceIn(const std::string& path, uint64_t address);

// Adds frames of the code at `offsets` in the file to `names`. An out-of-line
// function of C is called as the symbol tables have it, where callers' names
// come first; one of C++ by its linkage name, in both. Where only the place is
// known, that is its name. Returns why lines are missing that should be there,
// a sentence each.
std::set<std::string> SearchModule(const SearchedModule& module,
                                   const std::vector<uint64_t>& offsets,
                                   ModuleNames& names);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_MODULE_SEARCH_H_
