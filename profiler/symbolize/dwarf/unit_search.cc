#include "profiler/symbolize/dwarf/unit_search.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <algorithm>
#include <limits>

#include "profiler/symbolize/dwarf/address_ranges.h"

namespace wallprof::symbolize {
namespace {

constexpr size_t kNoUnit = std::numeric_limits<size_t>::max();

class Search {
 public:
  Search(DebugFile& file, const std::vector<uint64_t>& addresses,
         uint64_t lowest_code)
      : file_(file),
        addresses_(addresses),
        lowest_code_(lowest_code),
        unit_of_(addresses.size(), kNoUnit),
        left_(addresses.size()),
        listed_(file.units().size()) {}

  void AskTable() {
    Dwarf_Aranges* ranges = nullptr;
    size_t count = 0;
    if (dwarf_getaranges(file_.dwarf(), &ranges, &count) != 0) return;
    for (size_t i = 0; i < count; ++i) {
      Dwarf_Addr begin = 0;
      Dwarf_Word size = 0;
      Dwarf_Off root = 0;
      if (dwarf_getarangeinfo(dwarf_onearange(ranges, i), &begin, &size,
                              &root) != 0) {
        continue;
      }
      const size_t unit = UnitOf(root);
      if (unit == kNoUnit) continue;
      listed_[unit] = true;
      Assign({begin, begin + size}, unit);
    }
  }

  void AskUnits() {
    for (size_t unit = 0; unit < listed_.size() && left_ > 0; ++unit) {
      Dwarf_Die root;
      if (listed_[unit] || dwarf_offdie(file_.dwarf(), file_.units()[unit].root,
                                        &root) == nullptr) {
        continue;
      }
      RangeAttributes attributes;
      dwarf_getattrs(
          &root,
          [](Dwarf_Attribute* attribute, void* to) {
            static_cast<RangeAttributes*>(to)->Take(*attribute);
            return static_cast<int>(DWARF_CB_OK);
          },
          &attributes, 0);
      if (attributes.empty()) continue;
      for (const AddressRange& range :
           UnitAddresses(file_, &root).Ranges(attributes)) {
        Assign(range, unit);
      }
    }
  }

  std::map<size_t, std::vector<uint64_t>> Result() const {
    std::map<size_t, std::vector<uint64_t>> by_unit;
    for (size_t i = 0; i < addresses_.size(); ++i) {
      if (unit_of_[i] != kNoUnit) by_unit[unit_of_[i]].push_back(addresses_[i]);
    }
    return by_unit;
  }

 private:
  size_t UnitOf(Dwarf_Off root) const {
    const std::vector<DebugFile::Unit>& units = file_.units();
    const auto unit = std::lower_bound(
        units.begin(), units.end(), root,
        [](const DebugFile::Unit& a, Dwarf_Off b) { return a.root < b; });
    return unit == units.end() || unit->root != root ? kNoUnit
                                                     : unit - units.begin();
  }

  void Assign(const AddressRange& range, size_t unit) {
    if (range.begin < lowest_code_) return;
    for (auto at = std::lower_bound(addresses_.begin(), addresses_.end(),
                                    range.begin);
         at != addresses_.end() && *at < range.end; ++at) {
      size_t& assigned = unit_of_[at - addresses_.begin()];
      if (assigned != kNoUnit) continue;
      assigned = unit;
      --left_;
    }
  }

  DebugFile& file_;
  const std::vector<uint64_t>& addresses_;
  const uint64_t lowest_code_;
  std::vector<size_t> unit_of_;
  size_t left_;  // addresses without unit
  std::vector<bool> listed_;
};

}  // namespace

std::map<size_t, std::vector<uint64_t>> FindUnits(
    DebugFile& file, const std::vector<uint64_t>& addresses,
    uint64_t lowest_code) {
  Search search(file, addresses, lowest_code);
  search.AskTable();
  search.AskUnits();
  return search.Result();
}

}  // namespace wallprof::symbolize
