#include "profiler/symbolize/function_symbols.h"

#include <elf.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "profiler/symbolize/symbol_search.h"

namespace wallprof::symbolize {
namespace {

// Less is better, and no two are equal: which of several names is taken does
// not depend on the order in which a linker wrote them.
auto Rank(const NamedSymbol& symbol) {
  const unsigned char binding = symbol.symbol.binding;
  return std::make_tuple(binding == STB_LOCAL, binding == STB_WEAK,
                         symbol.name.size(), std::string_view(symbol.name));
}

// .symtab has all that .dynsym has.
std::vector<ElfImage::SymbolTable> FullestTables(const ElfImage& image) {
  std::vector<ElfImage::SymbolTable> tables = image.symbol_tables();
  const auto dynamic = [](const auto& table) { return table.dynamic; };
  if (!std::all_of(tables.begin(), tables.end(), dynamic)) {
    tables.erase(std::remove_if(tables.begin(), tables.end(), dynamic),
                 tables.end());
  }
  return tables;
}

FunctionSymbol Described(const ElfImage& image, const CodeSymbol& symbol,
                         std::string name) {
  return {std::move(name), symbol.begin,
          symbol.sized ? symbol.end - symbol.begin : 0,
          symbol.binding == STB_LOCAL, FileOf(image, symbol)};
}

}  // namespace

std::vector<FunctionSymbol> FindFunctionSymbols(
    const ElfImage& image, const std::vector<uint64_t>& addresses) {
  SymbolRules rules;
  rules.better = [](const NamedSymbol& a, const NamedSymbol& b) {
    return Rank(a) < Rank(b);
  };
  const std::vector<CodeSymbol> symbols =
      FindSymbols(image, FullestTables(image), addresses, rules);
  std::vector<FunctionSymbol> found(addresses.size());
  for (size_t i = 0; i < symbols.size(); ++i) {
    const CodeSymbol& symbol = symbols[i];
    if (!symbol.exists()) continue;
    // Neighbours mostly share a function; its name is read once.
    if (i > 0 && symbols[i - 1].name_offset == symbol.name_offset &&
        symbols[i - 1].begin == symbol.begin) {
      found[i] = found[i - 1];
      continue;
    }
    found[i] = Described(image, symbol, NameOf(image, symbol));
  }
  return found;
}

std::vector<FunctionSymbol> FunctionSymbolsNamed(
    const ElfImage& image,
    const std::function<bool(const std::string&)>& is_wanted) {
  std::vector<FunctionSymbol> found;
  for (const ElfImage::SymbolTable& table : FullestTables(image)) {
    VisitSymbols(image, table, /*labels=*/false, [&](const CodeSymbol& symbol) {
      std::string name = NameOf(image, symbol);
      if (!is_wanted(name)) return;
      found.push_back(Described(image, symbol, std::move(name)));
    });
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const FunctionSymbol& a, const FunctionSymbol& b) {
                     return std::tie(a.begin, a.name) <
                            std::tie(b.begin, b.name);
                   });
  return found;
}

}  // namespace wallprof::symbolize
