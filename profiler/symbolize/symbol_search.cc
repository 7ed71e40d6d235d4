#include "profiler/symbolize/symbol_search.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace wallprof::symbolize {
namespace {

// Symbols read at a time: 96 KiB, few calls and little memory.
constexpr size_t kSymbolsAtATime = 4096;

// Longer names are cut. Demanglers give up far earlier.
constexpr size_t kLongestName = 64 << 10;

// The string at `offset`, which reaches no further than `limit`.
std::string TextAt(const ElfImage& image, uint64_t offset, uint64_t limit) {
  std::string name;
  char piece[256];
  while (name.size() < kLongestName) {
    const uint64_t from = offset + name.size();
    if (from >= limit) break;
    const size_t got = image.ReadAt(
        from, std::min<uint64_t>(sizeof piece, limit - from), piece);
    const size_t length = strnlen(piece, got);
    name.append(piece, length);
    if (got == 0 || length < got) break;
  }
  return name;
}

// Shows the symbols of one table that are functions'.
class Scanner {
 public:
  Scanner(const ElfImage& image, bool labels,
          const std::function<void(const CodeSymbol&)>& visit)
      : image_(image), labels_(labels), visit_(visit) {}

  void Scan(const ElfImage::SymbolTable& table) {
    std::vector<Elf64_Sym> symbols(kSymbolsAtATime);
    for (uint64_t at = 0; at < table.size;) {
      const size_t got =
          image_.ReadAt(table.offset + at,
                        std::min<uint64_t>(symbols.size() * sizeof symbols[0],
                                           table.size - at),
                        symbols.data());
      const size_t count = got / sizeof symbols[0];
      if (count == 0) return;
      for (size_t i = 0; i < count; ++i) Show(table, symbols[i]);
      at += count * sizeof symbols[0];
    }
  }

 private:
  void Show(const ElfImage::SymbolTable& table, const Elf64_Sym& raw) {
    if (ELF64_ST_TYPE(raw.st_info) == STT_FILE) {
      file_offset_ = raw.st_name == 0 ? 0 : table.names_offset + raw.st_name;
      return;
    }
    const ElfImage::Section* code = CodeOf(raw);
    if (code == nullptr || raw.st_name == 0) return;
    CodeSymbol symbol;
    symbol.begin = raw.st_value;
    symbol.sized = raw.st_size != 0;
    symbol.end =
        symbol.sized
            ? raw.st_value + std::min(raw.st_size, code->end - raw.st_value)
            : code->end;
    symbol.binding = ELF64_ST_BIND(raw.st_info);
    symbol.name_offset = table.names_offset + raw.st_name;
    symbol.name_limit = table.names_offset + table.names_size;
    if (symbol.binding == STB_LOCAL) symbol.file_offset = file_offset_;
    visit_(symbol);
  }

  // The section of code that a function's symbol is defined in; null if the
  // symbol is none of a function.
  const ElfImage::Section* CodeOf(const Elf64_Sym& raw) const {
    const int type = ELF64_ST_TYPE(raw.st_info);
    if (type != STT_FUNC && type != STT_GNU_IFUNC &&
        (type != STT_NOTYPE || !labels_)) {
      return nullptr;
    }
    if (raw.st_shndx == SHN_UNDEF || raw.st_shndx >= SHN_LORESERVE ||
        raw.st_shndx >= image_.sections().size()) {
      return nullptr;
    }
    const ElfImage::Section& section = image_.sections()[raw.st_shndx];
    const bool inside =
        raw.st_value >= section.address && raw.st_value < section.end;
    return section.executable && inside ? &section : nullptr;
  }

  const ElfImage& image_;
  const bool labels_;
  const std::function<void(const CodeSymbol&)>& visit_;
  uint64_t file_offset_ = 0;  // of the last STT_FILE symbol
};

// For each of some sorted addresses, the nearest symbol at or below it.
class NearestSymbols {
 public:
  NearestSymbols(const ElfImage& image, const std::vector<uint64_t>& addresses,
                 const SymbolRules& rules)
      : image_(image),
        addresses_(addresses),
        rules_(rules),
        nearest_(addresses.size()) {}

  void Offer(const CodeSymbol& symbol) {
    const auto at =
        std::lower_bound(addresses_.begin(), addresses_.end(), symbol.begin);
    if (at == addresses_.end()) return;
    CodeSymbol& held = nearest_[at - addresses_.begin()];
    if (!held.exists() || symbol.begin > held.begin) {
      held = symbol;
    } else if (symbol.begin == held.begin) {
      const uint64_t end = std::max(held.end, symbol.end);
      const std::string held_name = NameOf(image_, held);
      const std::string name = NameOf(image_, symbol);
      if (rules_.better({symbol, name}, {held, held_name})) held = symbol;
      held.end = end;
    }
  }

  // After the last offer: what is nearest to an address is nearest to the
  // addresses that follow, up to the next symbol.
  void Spread() {
    for (size_t i = 1; i < nearest_.size(); ++i) {
      if (!nearest_[i].exists()) nearest_[i] = nearest_[i - 1];
    }
  }

  const CodeSymbol& operator[](size_t i) const { return nearest_[i]; }

 private:
  const ElfImage& image_;
  const std::vector<uint64_t>& addresses_;
  const SymbolRules& rules_;
  std::vector<CodeSymbol> nearest_;
};

class Search {
 public:
  Search(const ElfImage& image, const std::vector<uint64_t>& addresses,
         const SymbolRules& rules)
      : addresses_(addresses),
        sized_(image, addresses, rules),
        unsized_(image, addresses, rules) {}

  void Offer(const CodeSymbol& symbol) {
    (symbol.sized ? sized_ : unsized_).Offer(symbol);
  }

  std::vector<CodeSymbol> Found() {
    sized_.Spread();
    unsized_.Spread();
    std::vector<CodeSymbol> found(addresses_.size());
    for (size_t i = 0; i < addresses_.size(); ++i) {
      if (const CodeSymbol* symbol = Covering(i)) found[i] = *symbol;
    }
    return found;
  }

 private:
  const CodeSymbol* Covering(size_t i) const {
    const CodeSymbol& sized = sized_[i];
    if (sized.exists() && addresses_[i] < sized.end) return &sized;
    const CodeSymbol& unsized = unsized_[i];
    if (!unsized.exists() || addresses_[i] >= unsized.end) return nullptr;
    return !sized.exists() || unsized.begin >= sized.end ? &unsized : nullptr;
  }

  const std::vector<uint64_t>& addresses_;
  NearestSymbols sized_;
  NearestSymbols unsized_;
};

}  // namespace

std::string NameOf(const ElfImage& image, const CodeSymbol& symbol) {
  return TextAt(image, symbol.name_offset, symbol.name_limit);
}

std::string FileOf(const ElfImage& image, const CodeSymbol& symbol) {
  return symbol.file_offset == 0
             ? ""
             : TextAt(image, symbol.file_offset, symbol.name_limit);
}

void VisitSymbols(const ElfImage& image, const ElfImage::SymbolTable& table,
                  bool labels,
                  const std::function<void(const CodeSymbol&)>& visit) {
  Scanner(image, labels, visit).Scan(table);
}

std::vector<CodeSymbol> FindSymbols(
    const ElfImage& image, const std::vector<ElfImage::SymbolTable>& tables,
    const std::vector<uint64_t>& addresses, const SymbolRules& rules) {
  Search search(image, addresses, rules);
  for (const ElfImage::SymbolTable& table : tables) {
    VisitSymbols(image, table, rules.labels,
                 [&search](const CodeSymbol& symbol) { search.Offer(symbol); });
  }
  return search.Found();
}

}  // namespace wallprof::symbolize
