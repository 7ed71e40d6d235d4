// Which functions lie at given addresses of an ELF image.
//
// The symbol tables are streamed past the addresses and nothing of them is
// kept: a large program has a hundred megabytes of symbols, a profile touches
// some thousands.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SEARCH_H_
#define WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SEARCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "profiler/symbolize/elf_image.h"

namespace wallprof::symbolize {

// The name, as in the object file, of the function at each of `addresses`
// (before relocation; sorted); empty where no symbol covers it. An
// address belongs to the nearest symbol at or below it that has a size, if it
// reaches that far. Symbols without a size, as assembly code has them, reach
// up to the next symbol or their section's end, and do not count inside
// another's reach. Of several names for one address the one
// meant for callers is taken: global, without leading underscores.
std::vector<std::string> FindFunctions(const ElfImage& image,
                                       const std::vector<uint64_t>& addresses);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SEARCH_H_
