// The symbols that are nearest to given addresses of an ELF image.
//
// The symbol tables are streamed past the addresses and nothing of them is
// kept: a large program has a hundred megabytes of symbols, a profile touches
// some thousands.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_SYMBOL_SEARCH_H_
#define WALLPROF_PROFILER_SYMBOLIZE_SYMBOL_SEARCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "profiler/symbolize/elf_image.h"

namespace wallprof::symbolize {

// A symbol of a function, its name still in the file.
struct CodeSymbol {
  uint64_t begin = 0;
  uint64_t end = 0;    // 0: no symbol
  bool sized = false;  // else `end` is its section's
  unsigned char binding = 0;
  uint64_t name_offset = 0;  // in the file
  uint64_t name_limit = 0;   // end of the table of names
  // The STT_FILE symbol before it, of a local one; 0 if there is none.
  uint64_t file_offset = 0;

  bool exists() const { return end != 0; }
};

// A symbol's name, and that of the file it is local to; empty if it is not.
std::string NameOf(const ElfImage& image, const CodeSymbol& symbol);
std::string FileOf(const ElfImage& image, const CodeSymbol& symbol);

// Shows `visit` every symbol of a function in `table`, in its order. `labels`:
// as in SymbolRules.
void VisitSymbols(const ElfImage& image, const ElfImage::SymbolTable& table,
                  bool labels,
                  const std::function<void(const CodeSymbol&)>& visit);

// A symbol and its name.
struct NamedSymbol {
  const CodeSymbol& symbol;
  const std::string& name;
};

struct SymbolRules {
  // Whether labels in code count that are not said to be functions; assembly
  // code often leaves that out.
  bool labels = false;
  // Of two symbols at one address, whether the first is taken.
  std::function<bool(const NamedSymbol&, const NamedSymbol&)> better;
};

// Of each of `addresses` (before relocation; sorted) the symbol in `tables`
// that covers it. An address belongs to the nearest symbol at or below it that
// has a size, if it reaches that far. Symbols without a size, as assembly code
// has them, reach up to the next symbol or their section's end, and do not
// count inside another's reach. Of several at one address the longest reach is
// that of the one taken.
std::vector<CodeSymbol> FindSymbols(
    const ElfImage& image, const std::vector<ElfImage::SymbolTable>& tables,
    const std::vector<uint64_t>& addresses, const SymbolRules& rules);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_SYMBOL_SEARCH_H_
