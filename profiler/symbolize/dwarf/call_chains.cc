#include "profiler/symbolize/dwarf/call_chains.h"

#include <dwarf.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace wallprof::symbolize {
namespace {

// Deeper nesting is no compiler's. Without DW_AT_sibling each level costs
// another look at what is below it.
constexpr size_t kDeepestNesting = 256;

// DW_AT_GNU_discriminator: clang's, and in no header of elfutils 0.188.
constexpr unsigned kDiscriminator = 0x2136;

// What of an entry is needed to place it.
struct Attributes {
  RangeAttributes ranges;
  Call call;
};

int TakeAttribute(Dwarf_Attribute* attribute, void* to) {
  auto& attributes = *static_cast<Attributes*>(to);
  attributes.ranges.Take(*attribute);
  switch (attribute->code) {
    case DW_AT_call_file:
      attributes.call.file = *attribute;
      break;
    case DW_AT_call_line:
      attributes.call.line = *attribute;
      break;
    case kDiscriminator:
      attributes.call.discriminator = *attribute;
      break;
    default:
      break;
  }
  return DWARF_CB_OK;
}

class Walk {
 public:
  Walk(const UnitAddresses& unit, const std::vector<uint64_t>& addresses,
       uint64_t lowest_code)
      : unit_(unit),
        addresses_(addresses),
        lowest_code_(lowest_code),
        chains_(addresses.size()) {}

  // Visits the entries below `root`. If `everywhere`, also where functions
  // hardly ever are: in types, and in functions that hold none of the addresses
  // themselves. An address that has its function keeps it.
  void Run(const Dwarf_Die& root, bool everywhere) {
    for (size_t i = 0; i < chains_.size(); ++i) {
      if (!chains_[i].empty()) done_.push_back(i);
    }
    root_ = everywhere ? nullptr : static_cast<const char*>(root.addr);
    Descend(root, everywhere, nullptr);
  }

  // Visits one function.
  void RunIn(Dwarf_Die function) {
    const void* inside_of = nullptr;
    if (Visit(function, /*everywhere=*/false, inside_of)) {
      Descend(function, /*everywhere=*/false, inside_of);
    }
  }

  bool complete() const {
    return std::none_of(chains_.begin(), chains_.end(),
                        [](const auto& chain) { return chain.empty(); });
  }

  std::vector<std::vector<Call>> Take() && { return std::move(chains_); }

  std::vector<IndexedFunction> Learnt() && { return std::move(learnt_); }

 private:
  struct Level {
    Dwarf_Die entry;
    const void* function;  // that the entry is inside of; null for none
  };

  // Visits the entries below `parent`, which is inside of `function`.
  void Descend(Dwarf_Die parent, bool everywhere, const void* function_above) {
    std::vector<Level> path;
    const void* last = parent.addr;
    Dwarf_Die child;
    if (dwarf_child(&parent, &child) == 0) {
      path.push_back({child, function_above});
    }
    while (!path.empty()) {
      Dwarf_Die entry = path.back().entry;
      const void* function = path.back().function;
      // Entries follow each other; what points backwards would never end.
      if (entry.addr <= last) return;
      last = entry.addr;
      if (function == nullptr) EndLearnt(entry);
      const bool descend = Visit(entry, everywhere, function);
      if (dwarf_siblingof(&entry, &path.back().entry) != 0) path.pop_back();
      if (descend && path.size() < kDeepestNesting &&
          dwarf_child(&entry, &child) == 0) {
        path.push_back({child, function});
      }
    }
  }

  // Whether what is below the entry is of interest. `function` becomes the one
  // that this is inside of.
  bool Visit(Dwarf_Die& entry, bool everywhere, const void*& function) {
    switch (dwarf_tag(&entry)) {
      case DW_TAG_namespace:
      case DW_TAG_module:
      case DW_TAG_lexical_block:
      case DW_TAG_try_block:
      case DW_TAG_catch_block:
      case DW_TAG_with_stmt:
        return true;
      case DW_TAG_class_type:
      case DW_TAG_structure_type:
      case DW_TAG_union_type:
        return everywhere;
      case DW_TAG_subprogram:
        return EnterFunction(entry, function) || everywhere;
      case DW_TAG_inlined_subroutine:
        return EnterInlined(entry, function);
      default:
        return false;
    }
  }

  bool EnterFunction(Dwarf_Die& entry, const void*& function) {
    const void* outer = function;
    function = entry.addr;
    Attributes attributes;
    std::vector<AddressRange> ranges;
    const std::vector<size_t> inside = AddressesIn(entry, attributes, ranges);
    if (outer == nullptr) Learn(entry, ranges);
    for (const size_t i : inside) {
      std::vector<Call>& chain = chains_[i];
      // Of functions that the linker folded into one, the first stands for
      // all; but one inside of another is no part of it.
      if (chain.empty() || chain.front().entry.addr == outer) {
        chain = {{entry}};
      }
    }
    return !inside.empty();
  }

  bool EnterInlined(Dwarf_Die& entry, const void* function) {
    Attributes attributes;
    std::vector<AddressRange> ranges;
    attributes.call.entry = entry;
    bool any = false;
    for (const size_t i : AddressesIn(entry, attributes, ranges)) {
      std::vector<Call>& chain = chains_[i];
      if (chain.empty() || chain.front().entry.addr != function) continue;
      chain.push_back(attributes.call);
      any = true;
    }
    return any;
  }

  void Learn(const Dwarf_Die& entry, const std::vector<AddressRange>& ranges) {
    if (root_ == nullptr) return;
    const size_t offset = static_cast<const char*>(entry.addr) - root_;
    for (const AddressRange& range : ranges) {
      const uint64_t size = range.end - range.begin;
      if (range.begin < lowest_code_ ||
          offset != static_cast<uint32_t>(offset) ||
          size != static_cast<uint32_t>(size)) {
        continue;
      }
      learnt_.push_back({range.begin, static_cast<uint32_t>(size), 0,
                         static_cast<uint32_t>(offset), 0});
    }
  }

  // The functions so far end before `entry`, which is in none.
  void EndLearnt(const Dwarf_Die& entry) {
    for (; ended_ < learnt_.size(); ++ended_) {
      learnt_[ended_].entry_end =
          static_cast<uint32_t>(static_cast<const char*>(entry.addr) - root_);
    }
  }

  // Indexes of the addresses that `entry` covers, each once.
  std::vector<size_t> AddressesIn(Dwarf_Die& entry, Attributes& attributes,
                                  std::vector<AddressRange>& ranges) {
    std::vector<size_t> inside;
    dwarf_getattrs(&entry, TakeAttribute, &attributes, 0);
    if (attributes.ranges.empty()) return inside;
    ranges = unit_.Ranges(attributes.ranges);
    for (const AddressRange& range : ranges) {
      if (range.begin < lowest_code_) continue;
      for (auto at = std::lower_bound(addresses_.begin(), addresses_.end(),
                                      range.begin);
           at != addresses_.end() && *at < range.end; ++at) {
        const size_t index = at - addresses_.begin();
        if (!std::binary_search(done_.begin(), done_.end(), index)) {
          inside.push_back(index);
        }
      }
    }
    std::sort(inside.begin(), inside.end());
    inside.erase(std::unique(inside.begin(), inside.end()), inside.end());
    return inside;
  }

  const UnitAddresses& unit_;
  const std::vector<uint64_t>& addresses_;
  const uint64_t lowest_code_;
  std::vector<std::vector<Call>> chains_;
  std::vector<size_t> done_;             // before this pass; sorted
  const char* root_ = nullptr;           // while functions are learnt
  std::vector<IndexedFunction> learnt_;  // in no other function
  size_t ended_ = 0;                     // those whose ends are known
};

}  // namespace

std::vector<std::vector<Call>> FindCalls(const UnitAddresses& unit,
                                         const Dwarf_Die& root,
                                         const std::vector<uint64_t>& addresses,
                                         uint64_t lowest_code,
                                         std::vector<IndexedFunction>& learnt) {
  Walk walk(unit, addresses, lowest_code);
  walk.Run(root, /*everywhere=*/false);
  learnt = std::move(walk).Learnt();
  if (!walk.complete()) walk.Run(root, /*everywhere=*/true);
  return std::move(walk).Take();
}

std::vector<std::vector<Call>> FindCallsIn(
    const UnitAddresses& unit, std::vector<Dwarf_Die> functions,
    const std::vector<uint64_t>& addresses, uint64_t lowest_code) {
  Walk walk(unit, addresses, lowest_code);
  for (const Dwarf_Die& function : functions) walk.RunIn(function);
  return std::move(walk).Take();
}

}  // namespace wallprof::symbolize
