#include "profiler/symbolize/function_search.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <tuple>

namespace wallprof::symbolize {
namespace {

// Symbols read at a time: 96 KiB, few calls and little memory.
constexpr size_t kSymbolsAtATime = 4096;

// Longer names are cut. Demanglers give up far earlier.
constexpr size_t kLongestName = 64 << 10;

// A symbol of a function, its name still in the file.
struct Symbol {
  uint64_t start = 0;
  uint64_t end = 0;  // 0: no symbol
  unsigned char binding = STB_LOCAL;
  uint64_t name_offset = 0;  // in the file
  uint64_t name_limit = 0;   // end of the table of names

  bool exists() const { return end != 0; }
};

std::string ReadName(const ElfImage& image, const Symbol& symbol) {
  std::string name;
  char piece[256];
  while (name.size() < kLongestName) {
    const uint64_t from = symbol.name_offset + name.size();
    if (from >= symbol.name_limit) break;
    const size_t got = image.ReadAt(
        from, std::min<uint64_t>(sizeof piece, symbol.name_limit - from),
        piece);
    const size_t length = strnlen(piece, got);
    name.append(piece, length);
    if (got == 0 || length < got) break;
  }
  // A static symbol table has foo@VERSION and foo@@VERSION.
  return name.substr(0, name.find('@'));
}

// How well a name serves a reader; less is better, and no two are equal.
auto Rank(const Symbol& symbol, const std::string& name) {
  const bool mangled = name.compare(0, 2, "_Z") == 0;
  const size_t underscores =
      mangled ? 0 : std::min(name.find_first_not_of('_'), name.size());
  return std::make_tuple(name.empty(), symbol.binding == STB_LOCAL, underscores,
                         symbol.binding == STB_WEAK, name.size(),
                         std::string_view(name));
}

// For each of some sorted addresses, the nearest symbol at or below it.
class NearestSymbols {
 public:
  NearestSymbols(const ElfImage& image, const std::vector<uint64_t>& addresses)
      : image_(image), addresses_(addresses), nearest_(addresses.size()) {}

  void Offer(const Symbol& symbol) {
    const auto at =
        std::lower_bound(addresses_.begin(), addresses_.end(), symbol.start);
    if (at == addresses_.end()) return;
    Symbol& held = nearest_[at - addresses_.begin()];
    if (!held.exists() || symbol.start > held.start) {
      held = symbol;
    } else if (symbol.start == held.start) {
      const uint64_t end = std::max(held.end, symbol.end);
      const std::string held_name = ReadName(image_, held);
      const std::string name = ReadName(image_, symbol);
      if (Rank(symbol, name) < Rank(held, held_name)) held = symbol;
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

  const Symbol& operator[](size_t i) const { return nearest_[i]; }

 private:
  const ElfImage& image_;
  const std::vector<uint64_t>& addresses_;
  std::vector<Symbol> nearest_;
};

// The section of code that a function's symbol is defined in; null if the
// symbol is none of a function.
const ElfImage::Section* CodeOf(const ElfImage& image, const Elf64_Sym& raw) {
  const int type = ELF64_ST_TYPE(raw.st_info);
  // Assembly code often leaves out the type.
  if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) {
    return nullptr;
  }
  if (raw.st_shndx == SHN_UNDEF || raw.st_shndx >= SHN_LORESERVE ||
      raw.st_shndx >= image.sections().size()) {
    return nullptr;
  }
  const ElfImage::Section& section = image.sections()[raw.st_shndx];
  const bool inside =
      raw.st_value >= section.address && raw.st_value < section.end;
  return section.executable && inside ? &section : nullptr;
}

class Search {
 public:
  Search(const ElfImage& image, const std::vector<uint64_t>& addresses)
      : image_(image),
        addresses_(addresses),
        sized_(image, addresses),
        unsized_(image, addresses) {}

  std::vector<std::string> Run() {
    for (const ElfImage::SymbolTable& table : image_.symbol_tables()) {
      Scan(table);
    }
    sized_.Spread();
    unsized_.Spread();
    std::vector<std::string> names(addresses_.size());
    // Neighbours mostly share a function; its name is read once.
    uint64_t read_offset = 0;
    std::string read_name;
    for (size_t i = 0; i < addresses_.size(); ++i) {
      const Symbol* symbol = Covering(i);
      if (symbol == nullptr) continue;
      if (symbol->name_offset != read_offset) {
        read_offset = symbol->name_offset;
        read_name = ReadName(image_, *symbol);
      }
      names[i] = read_name;
    }
    return names;
  }

 private:
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
      for (size_t i = 0; i < count; ++i) Offer(table, symbols[i]);
      at += count * sizeof symbols[0];
    }
  }

  void Offer(const ElfImage::SymbolTable& table, const Elf64_Sym& raw) {
    const ElfImage::Section* code = CodeOf(image_, raw);
    if (code == nullptr || raw.st_name == 0) return;
    Symbol symbol;
    symbol.start = raw.st_value;
    symbol.end =
        raw.st_size == 0
            ? code->end
            : raw.st_value + std::min(raw.st_size, code->end - raw.st_value);
    symbol.binding = ELF64_ST_BIND(raw.st_info);
    symbol.name_offset = table.names_offset + raw.st_name;
    symbol.name_limit = table.names_offset + table.names_size;
    (raw.st_size == 0 ? unsized_ : sized_).Offer(symbol);
  }

  const Symbol* Covering(size_t i) const {
    const Symbol& sized = sized_[i];
    if (sized.exists() && addresses_[i] < sized.end) return &sized;
    const Symbol& unsized = unsized_[i];
    if (!unsized.exists() || addresses_[i] >= unsized.end) return nullptr;
    return !sized.exists() || unsized.start >= sized.end ? &unsized : nullptr;
  }

  const ElfImage& image_;
  const std::vector<uint64_t>& addresses_;
  NearestSymbols sized_;
  NearestSymbols unsized_;
};

}  // namespace

std::vector<std::string> FindFunctions(const ElfImage& image,
                                       const std::vector<uint64_t>& addresses) {
  return Search(image, addresses).Run();
}

}  // namespace wallprof::symbolize
