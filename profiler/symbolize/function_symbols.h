// Which symbols of an ELF image hold given addresses, and where those begin.
//
// As function_search.h, for tools that name code by symbol and offset. What is
// meant for people is not: no name is bettered, and parts of functions keep
// theirs.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SYMBOLS_H_
#define WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SYMBOLS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "profiler/symbolize/elf_image.h"

namespace wallprof::symbolize {

struct FunctionSymbol {
  std::string name;    // as in the file; empty: no function is there
  uint64_t begin = 0;  // before relocation
  // 0: not said, as of some assembly code; it reaches up to the next one.
  uint64_t size = 0;
  bool local = false;
  // Of a local one, the STT_FILE symbol before it; empty where there is none.
  std::string file;
};

// Of each of `addresses` (before relocation, sorted): the function symbol of
// .symtab, or else .dynsym, that covers it. Of several at one address a global
// one is taken before a weak one, that before a local one; then the shortest,
// then the first in the alphabet. Where one lies inside another, the one that
// begins nearest below the address.
std::vector<FunctionSymbol> FindFunctionSymbols(
    const ElfImage& image, const std::vector<uint64_t>& addresses);

// All that are called so, by address, and of one address by name.
std::vector<FunctionSymbol> FunctionSymbolsNamed(
    const ElfImage& image,
    const std::function<bool(const std::string&)>& is_wanted);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_FUNCTION_SYMBOLS_H_
