#include "profiler/symbolize/dwarf/unit_source.h"

#include <dwarf.h>

#include <utility>

namespace wallprof::symbolize {
namespace {

// From a copy over the abstract function and the definition to the
// declaration are three steps; more would be a circle.
constexpr int kMostSteps = 8;

uint64_t NumberOf(const Dwarf_Attribute& attribute) {
  Dwarf_Attribute copy = attribute;
  Dwarf_Word value = 0;
  return copy.form != 0 && dwarf_formudata(&copy, &value) == 0 ? value : 0;
}

// The attributes of a function's entry that say what it is.
struct FunctionAttributes {
  Dwarf_Attribute name = {};
  Dwarf_Attribute linkage_name = {};
  Dwarf_Attribute file = {};
  Dwarf_Attribute line = {};
  Dwarf_Attribute origin = {};
};

int TakeAttribute(Dwarf_Attribute* attribute, void* to) {
  auto& attributes = *static_cast<FunctionAttributes*>(to);
  switch (attribute->code) {
    case DW_AT_name:
      attributes.name = *attribute;
      break;
    case DW_AT_linkage_name:
    case DW_AT_MIPS_linkage_name:
      attributes.linkage_name = *attribute;
      break;
    case DW_AT_decl_file:
      attributes.file = *attribute;
      break;
    case DW_AT_decl_line:
      attributes.line = *attribute;
      break;
    case DW_AT_abstract_origin:
    case DW_AT_specification:
      attributes.origin = *attribute;
      break;
    default:
      break;
  }
  return DWARF_CB_OK;
}

}  // namespace

std::vector<SourceFrames> UnitSource::Find(
    const UnitAddresses& unit, const Dwarf_Die& root,
    const Dwarf_Die& lines_root, const std::vector<uint64_t>& addresses,
    uint64_t lowest_code, LearntUnit& learnt) {
  split_root_ = root;
  lines_root_ = lines_root;
  return FramesAt(
      FindCalls(unit, root, addresses, lowest_code, learnt.functions),
      addresses, lowest_code, learnt.sequences);
}

std::vector<SourceFrames> UnitSource::FindIn(
    const UnitAddresses& unit, const Dwarf_Die& root,
    const std::vector<Dwarf_Die>& functions,
    std::vector<LineSequence> sequences, const std::vector<uint64_t>& addresses,
    uint64_t lowest_code) {
  split_root_ = root;
  lines_root_ = root;
  return FramesAt(FindCallsIn(unit, functions, addresses, lowest_code),
                  addresses, lowest_code, sequences);
}

std::vector<SourceFrames> UnitSource::FramesAt(
    std::vector<std::vector<Call>> chains,
    const std::vector<uint64_t>& addresses, uint64_t lowest_code,
    std::vector<LineSequence>& sequences) {
  std::vector<SourcePlace> places =
      line_tables_
          .insert_or_assign(split_root_.cu, LineTable(lines_, lines_root_))
          .first->second.PlacesOf(addresses, lowest_code, sequences);
  std::vector<SourceFrames> found(addresses.size());
  for (size_t i = 0; i < addresses.size(); ++i) {
    found[i] = FramesOf(chains[i], std::move(places[i]));
  }
  return found;
}

SourceFrames UnitSource::FramesOf(std::vector<Call>& chain, SourcePlace place) {
  SourceFrames frames;
  if (chain.empty()) {
    // Assembly code has lines and no functions.
    if (place.line != 0) frames.push_back({"", "", place.file, place.line});
    return frames;
  }
  frames.reserve(chain.size());
  for (auto call = chain.rbegin(); call != chain.rend(); ++call) {
    frames.push_back(FrameOf(call->entry, std::move(place)));
    place = {FileOf(call->entry, NumberOf(call->file)),
             static_cast<int64_t>(NumberOf(call->line)),
             static_cast<uint32_t>(NumberOf(call->discriminator))};
  }
  return frames;
}

SourceFrame UnitSource::FrameOf(const Dwarf_Die& entry, SourcePlace place) {
  const Description& function = Describe(entry);
  SourceFrame frame = {function.name, function.linkage_name,
                       std::move(place.file), place.line};
  frame.declared_line = function.start.line;
  frame.discriminator = place.discriminator;
  if (frame.file.empty()) frame.file = function.start.file;
  if (frame.file == function.start.file) frame.start_line = function.start.line;
  return frame;
}

const UnitSource::Description& UnitSource::Describe(const Dwarf_Die& entry) {
  const auto known = descriptions_.find(entry.addr);
  if (known != descriptions_.end()) return known->second;
  return descriptions_.emplace(entry.addr, Read(entry)).first->second;
}

UnitSource::Description UnitSource::Read(Dwarf_Die entry) {
  Description function;
  for (int step = 0; step < kMostSteps; ++step) {
    FunctionAttributes attributes;
    dwarf_getattrs(&entry, TakeAttribute, &attributes, 0);
    if (function.name.empty() && attributes.name.form != 0) {
      function.name = entries_.Text(&attributes.name);
    }
    if (function.linkage_name.empty() && attributes.linkage_name.form != 0) {
      function.linkage_name = entries_.Text(&attributes.linkage_name);
    }
    if (function.start.line == 0 && attributes.line.form != 0) {
      function.start.line = static_cast<int64_t>(NumberOf(attributes.line));
    }
    if (function.start.file.empty() && attributes.file.form != 0) {
      function.start.file = FileOf(entry, NumberOf(attributes.file));
    }
    if (attributes.origin.form == 0) break;
    Dwarf_Die origin;
    if (!entries_.Follow(&attributes.origin, &origin)) break;
    entry = origin;
  }
  return function;
}

std::string UnitSource::FileOf(Dwarf_Die& entry, uint64_t index) {
  return LinesOf(entry).FileOf(index);
}

const LineTable& UnitSource::LinesOf(Dwarf_Die& entry) {
  const auto known = line_tables_.find(entry.cu);
  if (known != line_tables_.end()) return known->second;
  Dwarf_Die root;
  DebugFile* file = &lines_;
  if (entry.cu == split_root_.cu) {
    root = lines_root_;
  } else {
    dwarf_diecu(&entry, &root, nullptr, nullptr);
    file = &entries_.Owner(root);
  }
  return line_tables_.emplace(entry.cu, LineTable(*file, root)).first->second;
}

}  // namespace wallprof::symbolize
