#include "profiler/symbolize/dwarf/debug_file.h"

#include <dwarf.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace wallprof::symbolize {
namespace {

// A unit's header and, nearly always, all of its root entry. Nothing breaks if
// that is longer: its last attributes are then missing.
constexpr size_t kUnitHead = 1024;

// No entry other than a root is longer: its attributes are numbers, and
// strings are elsewhere.
constexpr size_t kLongestEntry = 512;

// What libdw keeps of a unit: measured, rounded up.
constexpr size_t kBytesOfUnit = 1024;

// The length of the line table or unit at `at`, its first field included.
uint64_t LengthAt(std::string_view bytes) {
  uint32_t length = 0;
  if (bytes.size() < sizeof length) return 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length != 0xffffffff) return uint64_t{length} + sizeof length;
  uint64_t long_length = 0;
  if (bytes.size() < sizeof length + sizeof long_length) return 0;
  std::memcpy(&long_length, bytes.data() + sizeof length, sizeof long_length);
  return std::min<uint64_t>(long_length, bytes.size());
}

}  // namespace

absl::StatusOr<std::unique_ptr<DebugFile>> DebugFile::Open(
    int fd, size_t max_bytes, const std::vector<SectionPart>& parts) {
  absl::StatusOr<std::unique_ptr<DebugElf>> elf =
      DebugElf::Open(fd, max_bytes, parts);
  if (!elf.ok()) return elf.status();
  std::unique_ptr<DebugFile> file(new DebugFile(*std::move(elf)));
  file->dwarf_ = dwarf_begin_elf(file->elf_->elf(), DWARF_C_READ, nullptr);
  if (file->dwarf_ == nullptr) {
    return absl::InvalidArgumentError("its debug information is malformed");
  }
  file->ListUnits();
  return file;
}

DebugFile::~DebugFile() { dwarf_end(dwarf_); }

void DebugFile::ListUnits() {
  const std::string_view info = Section("info");
  Unit unit;
  while (unit.offset < info.size()) {
    elf_->copy().Read(info.data() + unit.offset, kUnitHead);
    size_t header_size = 0;
    if (dwarf_next_unit(dwarf_, unit.offset, &unit.end, &header_size, nullptr,
                        nullptr, nullptr, nullptr, nullptr, nullptr) != 0 ||
        unit.end <= unit.offset) {
      return;
    }
    unit.end = std::min<Dwarf_Off>(unit.end, info.size());
    unit.root = unit.offset + header_size;
    units_.push_back(unit);
    unit.offset = unit.end;
  }
}

void DebugFile::SetAlternate(std::unique_ptr<DebugFile> alternate) {
  alternate_ = std::move(alternate);
  dwarf_setalt(dwarf_, alternate_->dwarf());
}

DebugFile& DebugFile::Owner(const Dwarf_Die& entry) {
  const bool own = alternate_ == nullptr ||
                   dwarf_cu_getdwarf(entry.cu) != alternate_->dwarf();
  return own ? *this : *alternate_;
}

size_t DebugFile::BytesNeeded(const Unit& unit) {
  Dwarf_Die root;
  const size_t entries = unit.end - unit.offset;
  if (dwarf_offdie(dwarf_, unit.root, &root) == nullptr) return entries;
  return entries + LineBytesNeeded(&root);
}

size_t DebugFile::LineBytesNeeded(Dwarf_Die* root) {
  return 2 * LineTableOf(root).size();
}

void DebugFile::LoadUnit(const Unit& unit) {
  const std::string_view info = Section("info");
  elf_->copy().Read(info.data() + unit.offset, unit.end - unit.offset);
}

std::string_view DebugFile::LoadLines(Dwarf_Die* root) {
  const std::string_view table = LineTableOf(root);
  elf_->copy().Read(table.data(), table.size());
  line_bytes_ += table.size();
  return table;
}

void DebugFile::Forget() {
  // libdw looks at the heads of units again.
  const std::string_view info = Section("info");
  for (const Unit& unit : units_) {
    if (unit.end - unit.offset <= kUnitHead) continue;
    elf_->copy().Forget(info.data() + unit.offset + kUnitHead,
                        unit.end - unit.offset - kUnitHead);
  }
  const std::string_view lines = Section("line");
  elf_->copy().Forget(lines.data(), lines.size());
  const std::string_view strings = Section("str");
  if (!elf_->copy().IsUnpacked(strings.data())) {
    elf_->copy().Forget(strings.data(), strings.size());
  }
  line_bytes_ = 0;
  if (alternate_ != nullptr) alternate_->Forget();
}

std::string_view DebugFile::LineTableOf(Dwarf_Die* root) {
  Dwarf_Attribute attribute;
  Dwarf_Word offset = 0;
  const std::string_view lines = Section("line");
  if (dwarf_attr(root, DW_AT_stmt_list, &attribute) == nullptr ||
      dwarf_formudata(&attribute, &offset) != 0 || offset >= lines.size()) {
    return {};
  }
  const std::string_view rest = lines.substr(offset);
  elf_->copy().Read(rest.data(), 2 * sizeof(uint64_t));
  return rest.substr(0, LengthAt(rest));
}

bool DebugFile::Reachable(const Dwarf_Attribute& attribute) const {
  // libdw would go and map the alternate file itself.
  switch (attribute.form) {
    case DW_FORM_GNU_ref_alt:
    case DW_FORM_GNU_strp_alt:
    case DW_FORM_ref_sup4:
    case DW_FORM_ref_sup8:
    case DW_FORM_strp_sup:
      return alternate_ != nullptr;
    default:
      return true;
  }
}

std::string DebugFile::TextAt(std::string_view name, uint64_t offset) {
  const std::string_view texts = Section(name);
  if (offset >= texts.size()) return "";
  elf_->copy().ReadText(texts.data() + offset);
  return texts.data() + offset;
}

std::string DebugFile::Text(Dwarf_Attribute* attribute) {
  if (!Reachable(*attribute)) return "";
  const char* text = dwarf_formstring(attribute);
  if (text == nullptr) return "";
  elf_->copy().ReadText(text);
  if (alternate_ != nullptr) alternate_->elf_->copy().ReadText(text);
  return text;
}

std::string DebugFile::Text(Dwarf_Die* die, unsigned int attribute) {
  Dwarf_Attribute found;
  return dwarf_attr(die, attribute, &found) == nullptr ? "" : Text(&found);
}

bool DebugFile::Follow(Dwarf_Attribute* attribute, Dwarf_Die* to) {
  if (!Reachable(*attribute) || dwarf_formref_die(attribute, to) == nullptr) {
    return false;
  }
  elf_->copy().Read(to->addr, kLongestEntry);
  if (alternate_ != nullptr) {
    alternate_->elf_->copy().Read(to->addr, kLongestEntry);
  }
  return true;
}

size_t DebugFile::bytes() const {
  return elf_->bytes() + units_.size() * (sizeof(Unit) + kBytesOfUnit) +
         line_bytes_ +  // of the names in them
         (alternate_ == nullptr ? 0 : alternate_->bytes());
}

}  // namespace wallprof::symbolize
