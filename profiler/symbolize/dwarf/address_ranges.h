// The addresses that an entry of debug information covers.
//
// libdw decodes them too, but of split units only where it has opened their
// files itself, by mapping them.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_ADDRESS_RANGES_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_ADDRESS_RANGES_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "profiler/symbolize/address_range.h"
#include "profiler/symbolize/dwarf/debug_file.h"

namespace wallprof::symbolize {

// The attributes that say it. A missing one has form 0.
struct RangeAttributes {
  Dwarf_Attribute low_pc = {};
  Dwarf_Attribute high_pc = {};
  Dwarf_Attribute ranges = {};

  // Takes `attribute` if it is one of them.
  void Take(const Dwarf_Attribute& attribute);
  bool empty() const { return low_pc.form == 0 && ranges.form == 0; }
};

// Where the attributes of one unit find what they refer to.
class UnitAddresses {
 public:
  // Of the unit with the root `root` in `file`.
  UnitAddresses(const DebugFile& file, Dwarf_Die* root);

  // Of the unit `split` in `split_file`, whose skeleton has `skeleton`.
  UnitAddresses(const UnitAddresses& skeleton, const DebugFile& split_file,
                Dwarf_Die* split);

  // Empty ranges are left out.
  std::vector<AddressRange> Ranges(const RangeAttributes& attributes) const;

 private:
  // The bytes from the value of `attribute` on.
  std::string_view ValueOf(const Dwarf_Attribute& attribute) const;
  std::optional<uint64_t> Address(const Dwarf_Attribute& attribute) const;
  std::optional<uint64_t> Indexed(uint64_t index) const;
  uint64_t ListOffset(const Dwarf_Attribute& attribute) const;
  std::vector<AddressRange> List4(uint64_t offset) const;
  std::vector<AddressRange> List5(uint64_t offset) const;

  const int version_;
  const uint8_t offset_size_;  // 4, or 8 in 64-bit DWARF
  const std::string_view info_;
  uint64_t base_ = 0;              // what offsets in lists start from
  std::string_view addresses_;     // from the unit's first on
  std::string_view lists_;         // .debug_ranges or .debug_rnglists
  uint64_t lists_base_ = 0;        // of the unit's first, in `lists_`
  uint64_t split_lists_base_ = 0;  // the same for the split unit; DWARF 4
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_ADDRESS_RANGES_H_
