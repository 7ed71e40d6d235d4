#include "profiler/symbolize/function_search.h"

#include <elf.h>

#include <algorithm>
#include <string_view>
#include <tuple>

#include "profiler/symbolize/symbol_search.h"

namespace wallprof::symbolize {
namespace {

// A static symbol table has foo@VERSION and foo@@VERSION.
std::string_view WithoutVersion(std::string_view name) {
  return name.substr(0, name.find('@'));
}

// How well a name serves a reader; less is better, and no two are equal.
auto Rank(const NamedSymbol& symbol) {
  const std::string_view name = WithoutVersion(symbol.name);
  const bool mangled = name.compare(0, 2, "_Z") == 0;
  const size_t underscores =
      mangled ? 0 : std::min(name.find_first_not_of('_'), name.size());
  const unsigned char binding = symbol.symbol.binding;
  return std::make_tuple(name.empty(), binding == STB_LOCAL, underscores,
                         binding == STB_WEAK, name.size(), name);
}

}  // namespace

std::vector<std::string> FindFunctions(const ElfImage& image,
                                       const std::vector<uint64_t>& addresses) {
  SymbolRules rules;
  rules.labels = true;
  rules.better = [](const NamedSymbol& a, const NamedSymbol& b) {
    return Rank(a) < Rank(b);
  };
  const std::vector<CodeSymbol> symbols =
      FindSymbols(image, image.symbol_tables(), addresses, rules);
  std::vector<std::string> names(addresses.size());
  // Neighbours mostly share a function; its name is read once.
  uint64_t read_offset = 0;
  std::string read_name;
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (!symbols[i].exists()) continue;
    if (symbols[i].name_offset != read_offset) {
      read_offset = symbols[i].name_offset;
      read_name = WithoutVersion(NameOf(image, symbols[i]));
    }
    names[i] = read_name;
  }
  return names;
}

}  // namespace wallprof::symbolize
