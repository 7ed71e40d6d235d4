// A file of debug information: its units, and what of them is in memory.
//
// libdw reads memory without asking. So whatever it is about to read is copied
// first: units, lines and strings by the functions here, all else at the start.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_DEBUG_FILE_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_DEBUG_FILE_H_

#include <elfutils/libdw.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "profiler/symbolize/dwarf/debug_elf.h"

namespace wallprof::symbolize {

// Not thread-safe.
class DebugFile {
 public:
  // Units are best read until they take this much; then what was read of them
  // is given back.
  static constexpr size_t kMostToGrow = size_t{32} << 20;

  struct Unit {
    Dwarf_Off offset = 0;  // in .debug_info
    Dwarf_Off root = 0;    // of its first entry
    Dwarf_Off end = 0;
  };

  // Of the open file `fd`, which stays the caller's; of a package, of its
  // `parts`. Fails as DebugElf::Open.
  static absl::StatusOr<std::unique_ptr<DebugFile>> Open(
      int fd, size_t max_bytes, const std::vector<SectionPart>& parts = {});

  ~DebugFile();
  DebugFile(const DebugFile&) = delete;
  DebugFile& operator=(const DebugFile&) = delete;

  Dwarf* dwarf() const { return dwarf_; }

  // By offset. Their first bytes are in memory.
  const std::vector<Unit>& units() const { return units_; }

  // Whether units are unpacked as they are loaded: a whole one is then had for
  // less than several parts.
  bool packed() const {
    return elf_->copy().IsUnpacked(Section("info").data());
  }

  std::string_view Section(std::string_view name) const {
    return elf_->Section(name);
  }

  // The file that has what several have in common. Without it, what is there
  // is missing.
  void SetAlternate(std::unique_ptr<DebugFile> alternate);

  // This file or the alternate one: whichever an entry is in.
  DebugFile& Owner(const Dwarf_Die& entry);

  // By how much bytes() grows if the unit and its lines are loaded, near
  // enough.
  size_t BytesNeeded(const Unit& unit);

  // The same of the lines alone, of the unit with the root `root`.
  size_t LineBytesNeeded(Dwarf_Die* root);

  // Brings all of a unit into memory.
  void LoadUnit(const Unit& unit);

  // Brings the line table of the unit with the root `root` into memory. Empty
  // if it has none.
  std::string_view LoadLines(Dwarf_Die* root);

  // Gives back the memory of what was loaded of units, lines and strings. What
  // libdw keeps stays valid.
  void Forget();

  // The string at `offset` in the section `name`; empty if there is none.
  std::string TextAt(std::string_view name, uint64_t offset);

  // The string that an attribute refers to; empty if there is none.
  std::string Text(Dwarf_Attribute* attribute);
  std::string Text(Dwarf_Die* die, unsigned int attribute);

  // The entry that an attribute refers to, in memory itself; false if there is
  // none.
  bool Follow(Dwarf_Attribute* attribute, Dwarf_Die* to);

  // Memory in use, libdw's included near enough.
  size_t bytes() const;

 private:
  explicit DebugFile(std::unique_ptr<DebugElf> elf) : elf_(std::move(elf)) {}

  void ListUnits();
  std::string_view LineTableOf(Dwarf_Die* root);
  bool Reachable(const Dwarf_Attribute& attribute) const;

  std::unique_ptr<DebugElf> elf_;
  std::unique_ptr<DebugFile> alternate_;
  Dwarf* dwarf_ = nullptr;
  std::vector<Unit> units_;
  size_t line_bytes_ = 0;  // of line tables that were loaded
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_DEBUG_FILE_H_
