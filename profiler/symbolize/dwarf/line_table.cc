#include "profiler/symbolize/dwarf/line_table.h"

#include <dwarf.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace wallprof::symbolize {
namespace {

// What entries of DWARF 5 consist of.
struct Field {
  uint64_t content = 0;
  uint64_t form = 0;
};

// Numbers of one entry that matter, and its text.
struct Value {
  uint64_t number = 0;
  std::string text;
};

std::optional<Value> ReadValue(DebugFile& file, uint64_t form,
                               uint8_t offset_size, ByteReader& from) {
  switch (form) {
    case DW_FORM_string:
      return Value{0, std::string(from.Text())};
    case DW_FORM_line_strp:
      return Value{0, file.TextAt("line_str", from.Fixed(offset_size))};
    case DW_FORM_strp:
      return Value{0, file.TextAt("str", from.Fixed(offset_size))};
    case DW_FORM_udata:
      return Value{from.Leb128(), ""};
    case DW_FORM_data1:
      return Value{from.Fixed(1), ""};
    case DW_FORM_data2:
      return Value{from.Fixed(2), ""};
    case DW_FORM_data4:
      return Value{from.Fixed(4), ""};
    case DW_FORM_data8:
      return Value{from.Fixed(8), ""};
    case DW_FORM_data16:  // a checksum
      from.Skip(16);
      return Value{};
    case DW_FORM_block:
      from.Skip(from.Leb128());
      return Value{};
    default:
      return std::nullopt;
  }
}

}  // namespace

LineTable::LineTable(DebugFile& file, Dwarf_Die root)
    : compiled_in_(file.Text(&root, DW_AT_comp_dir)) {
  ReadHeader(file, file.LoadLines(&root));
}

void LineTable::ReadHeader(DebugFile& file, std::string_view table) {
  ByteReader reader(table);
  if (reader.Fixed(4) == 0xffffffff) {
    offset_size_ = 8;
    reader.Skip(8);
  }
  const uint64_t version = reader.Fixed(2);
  if (version < 2 || version > 5) return;
  if (version == 5) reader.Skip(2);  // sizes of addresses and segments
  const uint64_t header_size = reader.Fixed(offset_size_);
  ByteReader header = reader.Take(header_size);
  format_.instruction_size = static_cast<uint8_t>(header.Fixed(1));
  if (version >= 4) header.Skip(1);  // operations in an instruction
  header.Skip(1);                    // whether rows begin statements
  format_.line_base = static_cast<int8_t>(header.Fixed(1));
  format_.line_range = static_cast<uint8_t>(header.Fixed(1));
  const uint64_t first_special = header.Fixed(1);
  if (format_.line_range == 0 || first_special == 0) return;
  format_.operands = header.Take(first_special - 1).rest();
  if (format_.operands.size() != first_special - 1) return;
  program_ = reader.rest();
  if (version < 5) {
    ReadNames(header);
  } else if (!ReadEntries(file, header, directories_) ||
             !ReadEntries(file, header, files_)) {
    files_.clear();
  }
}

// Before DWARF 5. Indexes begin with 1; directory 0 is where it was compiled.
void LineTable::ReadNames(ByteReader& header) {
  directories_.emplace_back();
  while (!header.at_end()) {
    const std::string_view name = header.Text();
    if (name.empty()) break;
    directories_.push_back({std::string(name)});
  }
  files_.emplace_back();
  while (!header.at_end()) {
    const std::string_view name = header.Text();
    if (name.empty()) break;
    files_.push_back({std::string(name), header.Leb128()});
    header.Leb128();  // time
    header.Leb128();  // size
  }
}

// False if they cannot be read.
bool LineTable::ReadEntries(DebugFile& file, ByteReader& header,
                            std::vector<Entry>& entries) {
  std::vector<Field> fields(header.Fixed(1));
  for (Field& field : fields) field = {header.Leb128(), header.Leb128()};
  const uint64_t count = header.Leb128();
  // Each has a byte at least, unless they say nothing at all.
  for (uint64_t i = 0; i < count && !header.at_end() && !fields.empty(); ++i) {
    Entry& entry = entries.emplace_back();
    for (const Field& field : fields) {
      std::optional<Value> value =
          ReadValue(file, field.form, offset_size_, header);
      if (!value.has_value()) return false;
      if (field.content == DW_LNCT_path) entry.path = std::move(value->text);
      if (field.content == DW_LNCT_directory_index) {
        entry.directory = value->number;
      }
    }
  }
  return true;
}

std::vector<SourcePlace> LineTable::PlacesOf(
    const std::vector<uint64_t>& addresses, uint64_t lowest_code,
    std::vector<LineSequence>& sequences) const {
  const std::vector<LineRow> rows =
      FindRows(format_, program_, addresses, lowest_code, sequences);
  std::vector<SourcePlace> places(addresses.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    // Neighbours are mostly in the same file.
    if (i > 0 && rows[i].file == rows[i - 1].file) {
      places[i].file = places[i - 1].file;
    } else {
      places[i].file = FileOf(rows[i].file);
    }
    places[i].line = rows[i].line;
    places[i].discriminator = rows[i].discriminator;
  }
  return places;
}

std::vector<uint64_t> LineTable::RowStarts(
    const std::vector<AddressRange>& ranges, uint64_t lowest_code) const {
  return FindRowStarts(format_, program_, ranges, lowest_code);
}

std::string LineTable::FileOf(uint64_t index) const {
  return index < files_.size() ? PathOf(files_[index]) : "";
}

// Relative directories are so to the one that it was compiled in, which may be
// relative itself.
std::string LineTable::PathOf(const Entry& entry) const {
  if (entry.path.empty() || entry.path[0] == '/') return entry.path;
  std::string path = entry.path;
  if (entry.directory < directories_.size() &&
      !directories_[entry.directory].path.empty()) {
    path = absl::StrCat(directories_[entry.directory].path, "/", path);
  }
  if (path[0] == '/' || compiled_in_.empty() ||
      absl::StartsWith(path, compiled_in_ + "/")) {
    return path;
  }
  return absl::StrCat(compiled_in_, "/", path);
}

}  // namespace wallprof::symbolize
