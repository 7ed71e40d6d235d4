// Which symbols of an ELF image hold given addresses, and where those begin.
//
// As function_search.h, for tools that name code by symbol and offset. What is
// meant for people is not: no name is bettered, and parts of functions keep
// theirs.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SYMBOLS_H_
#define WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SYMBOLS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "profiler/symbolize/elf_image.h"

namespace wallprof::symbolize {

struct FunctionSymbol {
  std::string name;    // as in the file; empty: no function is there
  uint64_t begin = 0;  // before relocation
  uint64_t size = 0;
  bool local = false;
  // Of a local one, the STT_FILE symbol before it; empty where there is none.
  std::string file;
};

// Of each of `addresses` (before relocation, sorted): the function symbol of
// .symtab, or else .dynsym, that covers it.
std::vector<FunctionSymbol> FindFunctionSymbols(
    const ElfImage& image, const std::vector<uint64_t>& addresses);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SYMBOLS_H_
