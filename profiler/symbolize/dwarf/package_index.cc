#include "profiler/symbolize/dwarf/package_index.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace wallprof::symbolize {
namespace {

// What the index begins with. Before DWARF 5 the version had 32 bits, the upper
// ones zero.
struct Header {
  uint16_t version;
  uint16_t padding;
  uint32_t columns;
  uint32_t units;
  uint32_t slots;
};

constexpr uint16_t kGnuVersion = 2;
constexpr uint16_t kDwarf5 = 5;

// There are eight kinds of sections.
constexpr uint32_t kMostColumns = 8;

// The section that a column of the index is of; empty for those that are of no
// use here.
std::string_view SectionOf(uint32_t column, uint16_t version) {
  switch (column) {
    case 1:
      return "info";
    case 3:
      return "abbrev";
    case 4:
      return "line";
    case 6:
      return "str_offsets";
    case 8:
      return version == kDwarf5 ? "rnglists" : std::string_view();
    default:
      return {};
  }
}

class Index {
 public:
  Index(const ElfImage& package, const ElfImage::Section& section)
      : package_(package), section_(section) {}

  std::vector<SectionPart> Find(uint64_t id) const {
    const auto header = Read<Header>(0);
    if (!header.has_value() ||
        (header->version != kGnuVersion && header->version != kDwarf5) ||
        header->columns > kMostColumns) {
      return {};
    }
    const std::optional<uint32_t> row = RowOf(id, header->slots);
    if (!row.has_value() || *row == 0 || *row > header->units) return {};
    return PartsIn(*row, *header);
  }

 private:
  template <typename T>
  std::optional<T> Read(uint64_t offset) const {
    T value;
    if (offset > section_.size || section_.size - offset < sizeof value ||
        package_.ReadAt(section_.offset + offset, sizeof value, &value) !=
            sizeof value) {
      return std::nullopt;
    }
    return value;
  }

  // The unit's row, counted from 1, by way of a hash table with open addresses.
  std::optional<uint32_t> RowOf(uint64_t id, uint32_t slots) const {
    // A power of two; a longer one than fits in the section is none.
    if (slots == 0 || (slots & (slots - 1)) != 0 ||
        slots > section_.size / sizeof id) {
      return std::nullopt;
    }
    const uint64_t mask = slots - 1;
    const uint64_t rows = sizeof(Header) + uint64_t{slots} * sizeof id;
    uint64_t slot = id & mask;
    const uint64_t step = ((id >> 32) & mask) | 1;
    for (uint32_t tried = 0; tried < slots; ++tried) {
      const auto found = Read<uint64_t>(sizeof(Header) + slot * sizeof id);
      const auto row = Read<uint32_t>(rows + slot * sizeof(uint32_t));
      if (!found.has_value() || !row.has_value() || *row == 0) break;
      if (*found == id) return row;
      slot = (slot + step) & mask;
    }
    return std::nullopt;
  }

  std::vector<SectionPart> PartsIn(uint32_t row, const Header& header) const {
    // Behind the hash table come the columns' kinds, then a table of offsets
    // and one of sizes, both by row and column.
    constexpr uint64_t kCell = sizeof(uint32_t);
    const uint64_t kinds =
        sizeof(Header) + uint64_t{header.slots} * (sizeof(uint64_t) + kCell);
    const uint64_t width = header.columns * kCell;
    const uint64_t offsets = kinds + row * width;
    const uint64_t sizes = offsets + header.units * width;
    std::vector<SectionPart> parts;
    bool has_info = false;
    for (uint32_t i = 0; i < header.columns; ++i) {
      const auto kind = Read<uint32_t>(kinds + i * kCell);
      const auto offset = Read<uint32_t>(offsets + i * kCell);
      const auto size = Read<uint32_t>(sizes + i * kCell);
      if (!kind.has_value() || !offset.has_value() || !size.has_value()) {
        return {};
      }
      const std::string_view name = SectionOf(*kind, header.version);
      if (name.empty()) continue;
      parts.push_back({name, *offset, *size});
      has_info |= name == "info";
    }
    return has_info ? parts : std::vector<SectionPart>();
  }

  const ElfImage& package_;
  const ElfImage::Section& section_;
};

}  // namespace

std::vector<SectionPart> FindPackagedUnit(const ElfImage& package,
                                          uint64_t id) {
  for (const ElfImage::Section& section : package.sections()) {
    if (section.name == ".debug_cu_index") {
      return Index(package, section).Find(id);
    }
  }
  return {};
}

}  // namespace wallprof::symbolize
