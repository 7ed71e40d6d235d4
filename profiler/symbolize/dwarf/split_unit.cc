#include "profiler/symbolize/dwarf/split_unit.h"

#include <dwarf.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "profiler/symbolize/regular_file.h"

namespace wallprof::symbolize {
namespace {

struct UnitKind {
  uint8_t type = 0;
  uint64_t id = 0;
};

UnitKind KindOf(const Dwarf_Die& root) {
  UnitKind kind;
  dwarf_cu_info(root.cu, nullptr, &kind.type, nullptr, nullptr, &kind.id,
                nullptr, nullptr);
  return kind;
}

std::vector<std::string> Candidates(const std::string& name,
                                    const std::string& compiled_in,
                                    const std::string& directory) {
  const std::filesystem::path path(name);
  return {std::filesystem::path(compiled_in) / path,
          std::filesystem::path(directory) / path,
          std::filesystem::path(directory) / path.filename()};
}

// The unit `id` in the open file `fd`; of a package, in its `parts`.
absl::StatusOr<SplitUnit> TakeUnit(uint64_t id, int fd, size_t max_bytes,
                                   const std::vector<SectionPart>& parts) {
  absl::StatusOr<std::unique_ptr<DebugFile>> file =
      DebugFile::Open(fd, max_bytes, parts);
  if (!file.ok()) return file.status();
  SplitUnit split{*std::move(file)};
  for (const DebugFile::Unit& unit : split.file->units()) {
    if (dwarf_offdie(split.file->dwarf(), unit.root, &split.root) == nullptr) {
      continue;
    }
    const UnitKind kind = KindOf(split.root);
    if (kind.type != DW_UT_split_compile || kind.id != id) continue;
    if (unit.end - unit.offset > max_bytes) break;
    split.file->LoadUnit(unit);
    return split;
  }
  return absl::NotFoundError("of another compilation");
}

absl::StatusOr<SplitUnit> OpenLoose(uint64_t id, const std::string& path,
                                    size_t max_bytes) {
  const absl::StatusOr<int> fd = OpenRegularFile(path);
  if (!fd.ok()) return fd.status();
  absl::StatusOr<SplitUnit> split = TakeUnit(id, *fd, max_bytes, {});
  close(*fd);
  return split;
}

absl::StatusOr<SplitUnit> OpenPackaged(uint64_t id, const std::string& path,
                                       size_t max_bytes) {
  const absl::StatusOr<std::unique_ptr<ElfImage>> package =
      ElfImage::Open(path);
  if (!package.ok()) return package.status();
  const std::vector<SectionPart> parts = FindPackagedUnit(**package, id);
  if (parts.empty()) return absl::NotFoundError("not in the package");
  return TakeUnit(id, (*package)->descriptor(), max_bytes, parts);
}

}  // namespace

bool IsSkeleton(const Dwarf_Die& root) {
  return KindOf(root).type == DW_UT_skeleton;
}

absl::StatusOr<SplitUnit> OpenSplitUnit(DebugFile& file, Dwarf_Die root,
                                        const SplitPlaces& places,
                                        size_t max_bytes) {
  std::string name = file.Text(&root, DW_AT_dwo_name);
  if (name.empty()) name = file.Text(&root, DW_AT_GNU_dwo_name);
  const std::string compiled_in = file.Text(&root, DW_AT_comp_dir);
  const uint64_t id = KindOf(root).id;
  for (const std::string& path :
       Candidates(name, compiled_in, places.directory)) {
    absl::StatusOr<SplitUnit> split = OpenLoose(id, path, max_bytes);
    if (split.ok()) return split;
  }
  for (const std::string& path : places.packages) {
    absl::StatusOr<SplitUnit> split = OpenPackaged(id, path, max_bytes);
    if (split.ok()) return split;
  }
  return absl::NotFoundError(
      absl::StrCat(name, ": split debug information is not there"));
}

}  // namespace wallprof::symbolize
