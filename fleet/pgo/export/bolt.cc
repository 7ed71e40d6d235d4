#include "fleet/pgo/export/bolt.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/export/density.h"
#include "profiler/symbolize/function_symbols.h"

namespace wallprof::pgo {
namespace {

using symbolize::FunctionSymbol;

// The line that says that there are no branches, and what was counted.
constexpr char kHeader[] = "no_lbr cycles:\n";

// Each of the following lines: a symbol, its name, the offset, how many.
constexpr char kIsSymbol[] = "1 ";

std::string Escaped(const std::string& name) {
  std::string escaped;
  for (char c : name) {
    if (c == ' ' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

bool CanBeWritten(const FunctionSymbol& symbol) {
  return symbol.name.find('\n') == std::string::npos &&
         symbol.file.find('\n') == std::string::npos;
}

// What local functions are called besides their name.
class LocalNames {
 public:
  LocalNames(const symbolize::ElfImage& image,
             const std::vector<FunctionSymbol>& symbols) {
    std::set<std::string> names;
    for (const FunctionSymbol& symbol : symbols) {
      if (symbol.local) names.insert(symbol.name);
    }
    if (names.empty()) return;
    for (FunctionSymbol& symbol : symbolize::FunctionSymbolsNamed(
             image, [&names](const std::string& name) {
               return names.count(name) != 0;
             })) {
      if (!symbol.local) continue;
      begins_[{std::move(symbol.name), std::move(symbol.file)}].push_back(
          symbol.begin);
    }
  }

  std::string Of(const FunctionSymbol& symbol) const {
    const std::vector<uint64_t>& begins =
        begins_.at({symbol.name, symbol.file});
    const auto at = std::find(begins.begin(), begins.end(), symbol.begin);
    return absl::StrCat(symbol.name, symbol.file.empty() ? "" : "/",
                        symbol.file, "/", at - begins.begin() + 1);
  }

 private:
  // Of the functions of one name and file, by address.
  std::map<std::pair<std::string, std::string>, std::vector<uint64_t>> begins_;
};

bool HasRelocations(const symbolize::ElfImage& image) {
  return std::any_of(image.sections().begin(), image.sections().end(),
                     [](const symbolize::ElfImage::Section& section) {
                       return section.name == ".rela.text";
                     });
}

}  // namespace

BoltProfile BoltProfileOf(const CodeCounts& counts,
                          const symbolize::ElfImage& image) {
  std::vector<uint64_t> addresses;
  for (const auto& [address, count] : counts.at) addresses.push_back(address);
  const std::vector<FunctionSymbol> symbols =
      symbolize::FindFunctionSymbols(image, addresses);
  const LocalNames local_names(image, symbols);
  BoltProfile profile;
  std::map<uint64_t, SampledCode> functions;
  size_t i = 0;
  for (const auto& [address, count] : counts.at) {
    const FunctionSymbol& symbol = symbols[i++];
    if (symbol.name.empty()) {
      profile.dropped["in no function's symbol"] += count;
      continue;
    }
    if (!CanBeWritten(symbol)) {
      profile.dropped["in functions whose names cannot be written"] += count;
      continue;
    }
    const std::string name =
        symbol.local ? local_names.Of(symbol) : symbol.name;
    absl::StrAppend(&profile.text, kIsSymbol, Escaped(name), " ",
                    absl::Hex(address - symbol.begin), " ", count, "\n");
    profile.written += count;
    SampledCode& sampled = functions[symbol.begin];
    sampled.samples += count;
    sampled.bytes = symbol.size;
  }
  if (!profile.text.empty()) profile.text.insert(0, kHeader);
  profile.functions = static_cast<int64_t>(functions.size());
  std::vector<SampledCode> sampled;
  for (const auto& [begin, code] : functions) sampled.push_back(code);
  profile.density = DensityOf(std::move(sampled));
  profile.can_move_functions = HasRelocations(image);
  return profile;
}

}  // namespace wallprof::pgo
