#include "profiler/symbolize/dwarf/address_ranges.h"

#include <dwarf.h>

#include <algorithm>

#include "profiler/symbolize/dwarf/byte_reader.h"

namespace wallprof::symbolize {
namespace {

// Behind this header the lists of a split file begin: it has one table only.
constexpr uint64_t kListsHeader = 12;

std::string_view From(std::string_view bytes, uint64_t offset) {
  return bytes.substr(std::min<uint64_t>(offset, bytes.size()));
}

uint64_t NumberOf(Dwarf_Die* die, unsigned int name, uint64_t otherwise) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  return dwarf_attr(die, name, &attribute) != nullptr &&
                 dwarf_formudata(&attribute, &value) == 0
             ? value
             : otherwise;
}

int VersionOf(Dwarf_Die* die) {
  Dwarf_Half version = 0;
  dwarf_cu_info(die->cu, &version, nullptr, nullptr, nullptr, nullptr, nullptr,
                nullptr);
  return version;
}

uint8_t OffsetSizeOf(Dwarf_Die* die) {
  uint8_t size = 0;
  dwarf_cu_info(die->cu, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                &size);
  return size;
}

void Add(uint64_t begin, uint64_t end, std::vector<AddressRange>& ranges) {
  if (begin < end) ranges.push_back({begin, end});
}

}  // namespace

void RangeAttributes::Take(const Dwarf_Attribute& attribute) {
  switch (attribute.code) {
    case DW_AT_low_pc:
      low_pc = attribute;
      break;
    case DW_AT_high_pc:
      high_pc = attribute;
      break;
    case DW_AT_ranges:
      ranges = attribute;
      break;
    default:
      break;
  }
}

UnitAddresses::UnitAddresses(const DebugFile& file, Dwarf_Die* root)
    : version_(VersionOf(root)),
      offset_size_(OffsetSizeOf(root)),
      info_(file.Section("info")) {
  addresses_ = From(
      file.Section("addr"),
      NumberOf(root, DW_AT_addr_base, NumberOf(root, DW_AT_GNU_addr_base, 0)));
  if (version_ >= 5) {
    lists_ = file.Section("rnglists");
    lists_base_ = NumberOf(root, DW_AT_rnglists_base, kListsHeader);
  } else {
    lists_ = file.Section("ranges");
    split_lists_base_ = NumberOf(root, DW_AT_GNU_ranges_base, 0);
  }
  Dwarf_Attribute low_pc;
  if (dwarf_attr(root, DW_AT_low_pc, &low_pc) != nullptr) {
    base_ = Address(low_pc).value_or(0);
  }
}

UnitAddresses::UnitAddresses(const UnitAddresses& skeleton,
                             const DebugFile& split_file, Dwarf_Die* split)
    : version_(VersionOf(split)),
      offset_size_(OffsetSizeOf(split)),
      info_(split_file.Section("info")),
      base_(skeleton.base_),
      addresses_(skeleton.addresses_) {
  if (version_ >= 5) {
    lists_ = split_file.Section("rnglists");
    lists_base_ = kListsHeader;
  } else {
    lists_ = skeleton.lists_;
    lists_base_ = skeleton.split_lists_base_;
  }
}

std::vector<AddressRange> UnitAddresses::Ranges(
    const RangeAttributes& attributes) const {
  if (attributes.ranges.form != 0) {
    const uint64_t offset = ListOffset(attributes.ranges);
    return version_ >= 5 ? List5(offset) : List4(offset);
  }
  std::vector<AddressRange> ranges;
  const std::optional<uint64_t> begin = Address(attributes.low_pc);
  if (!begin.has_value() || attributes.high_pc.form == 0) return ranges;
  // From DWARF 4 on the end may be told as a distance.
  std::optional<uint64_t> end = Address(attributes.high_pc);
  if (!end.has_value()) {
    Dwarf_Attribute high_pc = attributes.high_pc;
    Dwarf_Word size = 0;
    if (dwarf_formudata(&high_pc, &size) == 0) end = *begin + size;
  }
  if (end.has_value()) Add(*begin, *end, ranges);
  return ranges;
}

std::string_view UnitAddresses::ValueOf(
    const Dwarf_Attribute& attribute) const {
  const char* value = reinterpret_cast<const char*>(attribute.valp);
  return value < info_.data() ? std::string_view()
                              : From(info_, value - info_.data());
}

std::optional<uint64_t> UnitAddresses::Address(
    const Dwarf_Attribute& attribute) const {
  switch (attribute.form) {
    case DW_FORM_addr:
      return ByteReader(ValueOf(attribute)).Fixed(8);
    case DW_FORM_addrx:
    case DW_FORM_GNU_addr_index:
      return Indexed(ByteReader(ValueOf(attribute)).Leb128());
    case DW_FORM_addrx1:
      return Indexed(ByteReader(ValueOf(attribute)).Fixed(1));
    case DW_FORM_addrx2:
      return Indexed(ByteReader(ValueOf(attribute)).Fixed(2));
    case DW_FORM_addrx3:
      return Indexed(ByteReader(ValueOf(attribute)).Fixed(3));
    case DW_FORM_addrx4:
      return Indexed(ByteReader(ValueOf(attribute)).Fixed(4));
    default:
      return std::nullopt;
  }
}

std::optional<uint64_t> UnitAddresses::Indexed(uint64_t index) const {
  if (index >= addresses_.size() / 8) return std::nullopt;
  return ByteReader(addresses_.substr(index * 8)).Fixed(8);
}

uint64_t UnitAddresses::ListOffset(const Dwarf_Attribute& attribute) const {
  if (attribute.form == DW_FORM_rnglistx) {
    // A table of offsets, of four bytes each, begins where the lists do.
    const uint64_t index = ByteReader(ValueOf(attribute)).Leb128();
    if (index >= lists_.size() / 4) return lists_.size();
    return lists_base_ +
           ByteReader(From(lists_, lists_base_ + index * 4)).Fixed(4);
  }
  // libdw would look for the list in a split unit's own file.
  const uint64_t offset = ByteReader(ValueOf(attribute)).Fixed(offset_size_);
  // From DWARF 5 on such an offset is the section's own.
  return version_ >= 5 ? offset : offset + lists_base_;
}

std::vector<AddressRange> UnitAddresses::List4(uint64_t offset) const {
  std::vector<AddressRange> ranges;
  uint64_t base = base_;
  ByteReader list(From(lists_, offset));
  while (!list.at_end()) {
    const uint64_t begin = list.Fixed(8);
    const uint64_t end = list.Fixed(8);
    if (begin == 0 && end == 0) break;
    if (begin == ~uint64_t{0}) {
      base = end;
    } else {
      Add(base + begin, base + end, ranges);
    }
  }
  return ranges;
}

std::vector<AddressRange> UnitAddresses::List5(uint64_t offset) const {
  std::vector<AddressRange> ranges;
  uint64_t base = base_;
  ByteReader list(From(lists_, offset));
  while (!list.at_end()) {
    const uint64_t kind = list.Fixed(1);
    if (kind == DW_RLE_base_addressx) {
      base = Indexed(list.Leb128()).value_or(0);
    } else if (kind == DW_RLE_base_address) {
      base = list.Fixed(8);
    } else if (kind == DW_RLE_offset_pair) {
      const uint64_t begin = base + list.Leb128();
      Add(begin, base + list.Leb128(), ranges);
    } else if (kind == DW_RLE_start_end) {
      const uint64_t begin = list.Fixed(8);
      Add(begin, list.Fixed(8), ranges);
    } else if (kind == DW_RLE_start_length) {
      const uint64_t begin = list.Fixed(8);
      Add(begin, begin + list.Leb128(), ranges);
    } else if (kind == DW_RLE_startx_endx) {
      const uint64_t begin = Indexed(list.Leb128()).value_or(0);
      Add(begin, Indexed(list.Leb128()).value_or(0), ranges);
    } else if (kind == DW_RLE_startx_length) {
      const uint64_t begin = Indexed(list.Leb128()).value_or(0);
      Add(begin, begin + list.Leb128(), ranges);
    } else {
      break;  // the end of the list, or nothing known
    }
  }
  return ranges;
}

}  // namespace wallprof::symbolize
