// Which functions lie at given addresses of an ELF image: their names for
// people.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SEARCH_H_
#define WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SEARCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "profiler/symbolize/elf_image.h"

namespace wallprof::symbolize {

// The name, as in the object file, of the function at each of `addresses`
// (before relocation; sorted); empty where no symbol covers it, see
// symbol_search.h. Of several names for one address the one meant for callers
// is taken: global, without leading underscores. Versions are left out.
std::vector<std::string> FindFunctions(const ElfImage& image,
                                       const std::vector<uint64_t>& addresses);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SEARCH_H_
