#include "profiler/symbolize/dwarf/debug_elf.h"

#include <endian.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "profiler/symbolize/regular_file.h"

namespace wallprof::symbolize {
namespace {

// How much of a section libdw is given at the start.
enum class Extent {
  kNothing,  // not looked at, and hidden
  kPieces,   // large, and little of it is needed
  kWhole,
};

struct KnownSection {
  std::string_view name;
  Extent extent;
};
constexpr KnownSection kKnownSections[] = {
    {"info", Extent::kPieces},    {"line", Extent::kPieces},
    {"str", Extent::kPieces},     {"abbrev", Extent::kWhole},
    {"addr", Extent::kWhole},     {"aranges", Extent::kWhole},
    {"line_str", Extent::kWhole}, {"ranges", Extent::kWhole},
    {"rnglists", Extent::kWhole}, {"str_offsets", Extent::kWhole},
};

// "info" of ".debug_info", ".zdebug_info" and ".debug_info.dwo"; empty for a
// section of something else.
std::string_view DebugName(std::string_view section) {
  absl::string_view name(section.data(), section.size());
  if (!absl::ConsumePrefix(&name, ".debug_") &&
      !absl::ConsumePrefix(&name, ".zdebug_")) {
    return {};
  }
  absl::ConsumeSuffix(&name, ".dwo");
  return {name.data(), name.size()};
}

Extent ExtentOf(std::string_view debug_name) {
  for (const KnownSection& known : kKnownSections) {
    if (known.name == debug_name) return known.extent;
  }
  return Extent::kNothing;
}

// Of sections. Those of a program in a million sections have some megabytes.
constexpr uint64_t kLongestNames = 16 << 20;

// Of a packed section, pieces here and there cost far more than all of it in
// order. So much is unpacked at once, if there is room.
constexpr uint64_t kScattered = uint64_t{16} << 20;

// What a section unpacks to is at most this many times as large; what claims
// more is malformed.
constexpr uint64_t kMostRatio = 1100;

struct SectionHeaders {
  std::vector<Elf64_Shdr> sections;
  uint64_t offset = 0;  // in the file
  std::string names;
  uint64_t names_offset = 0;
};

// What lies outside of the file is left out.
absl::StatusOr<SectionHeaders> ReadHeaders(int fd) {
  const absl::Status malformed = absl::InvalidArgumentError("not an ELF file");
  struct stat status;
  Elf64_Ehdr header;
  if (fstat(fd, &status) != 0 ||
      ReadAt(fd, 0, sizeof header, &header) != sizeof header ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64 ||
      header.e_shentsize != sizeof(Elf64_Shdr) ||
      header.e_shstrndx >= header.e_shnum) {
    return malformed;
  }
  SectionHeaders headers;
  headers.offset = header.e_shoff;
  headers.sections.resize(header.e_shnum);
  const size_t size = header.e_shnum * sizeof(Elf64_Shdr);
  if (ReadAt(fd, headers.offset, size, headers.sections.data()) != size) {
    return malformed;
  }
  const auto file_size = static_cast<uint64_t>(status.st_size);
  for (Elf64_Shdr& section : headers.sections) {
    if (section.sh_type == SHT_NOBITS) section.sh_size = 0;
    section.sh_offset = std::min<uint64_t>(section.sh_offset, file_size);
    section.sh_size = std::min(section.sh_size, file_size - section.sh_offset);
  }
  const Elf64_Shdr& names = headers.sections[header.e_shstrndx];
  headers.names_offset = names.sh_offset;
  headers.names.resize(std::min<uint64_t>(names.sh_size, kLongestNames));
  headers.names.resize(
      ReadAt(fd, names.sh_offset, headers.names.size(), headers.names.data()));
  return headers;
}

// Where the content of a packed section is; nullopt if the section is not
// packed.
absl::StatusOr<std::optional<PackedExtent>> PackedExtentOf(
    int fd, const Elf64_Shdr& section, std::string_view name) {
  uint64_t header_size = 0;
  PackedExtent extent;
  if (section.sh_flags & SHF_COMPRESSED) {
    Elf64_Chdr header = {};
    header_size = ReadAt(fd, section.sh_offset, sizeof header, &header);
    if (header.ch_type != ELFCOMPRESS_ZLIB) {
      return absl::InvalidArgumentError(
          "its debug information is compressed otherwise than by zlib");
    }
    extent.unpacked_size = header.ch_size;
  } else if (absl::StartsWith(absl::string_view(name.data(), name.size()),
                              ".zdebug_")) {
    // The older form: "ZLIB" and the size, most significant byte first.
    char header[12] = {};
    header_size = ReadAt(fd, section.sh_offset, sizeof header, header);
    uint64_t size = 0;
    std::memcpy(&size, header + 4, sizeof size);
    extent.unpacked_size = be64toh(size);
  } else {
    return std::nullopt;
  }
  if (section.sh_size < header_size ||
      extent.unpacked_size / kMostRatio > section.sh_size) {
    return absl::InvalidArgumentError("its debug information is malformed");
  }
  extent.offset = section.sh_offset + header_size;
  extent.size = section.sh_size - header_size;
  return extent;
}

std::string_view NameIn(const std::string& names, uint64_t offset) {
  if (offset >= names.size()) return {};
  return names.c_str() + offset;
}

// Leaves of a section the part that is told.
void Narrow(Elf64_Shdr& section, std::string_view debug_name,
            const std::vector<SectionPart>& parts) {
  for (const SectionPart& part : parts) {
    if (part.name != debug_name) continue;
    const uint64_t skipped = std::min<uint64_t>(part.offset, section.sh_size);
    section.sh_offset += skipped;
    section.sh_size = std::min(part.size, section.sh_size - skipped);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<DebugElf>> DebugElf::Open(
    int fd, size_t max_bytes, const std::vector<SectionPart>& parts) {
  absl::StatusOr<SectionHeaders> headers = ReadHeaders(fd);
  if (!headers.ok()) return headers.status();
  std::vector<PackedExtent> packed;
  std::vector<std::optional<size_t>> packed_index(headers->sections.size());
  for (size_t i = 0; i < headers->sections.size(); ++i) {
    Elf64_Shdr& section = headers->sections[i];
    const std::string_view name = NameIn(headers->names, section.sh_name);
    if (ExtentOf(DebugName(name)) == Extent::kNothing) continue;
    const auto extent = PackedExtentOf(fd, section, name);
    if (!extent.ok()) return extent.status();
    if (!extent->has_value()) continue;
    packed_index[i] = packed.size();
    packed.push_back(**extent);
  }
  absl::StatusOr<std::unique_ptr<FileCopy>> copy = FileCopy::Of(fd, packed);
  if (!copy.ok()) return copy.status();
  std::unique_ptr<DebugElf> elf(new DebugElf(*std::move(copy)));
  elf->sections_ = std::move(headers->sections);
  elf->names_ = std::move(headers->names);
  for (size_t i = 0; i < packed_index.size(); ++i) {
    if (!packed_index[i].has_value()) continue;
    elf->Unpack(elf->sections_[i],
                elf->copy_->unpacked_offset(*packed_index[i]),
                packed[*packed_index[i]].unpacked_size);
  }
  if (absl::Status status = elf->Prepare(max_bytes, parts); !status.ok()) {
    return status;
  }
  if (absl::Status status = elf->Begin(headers->offset, headers->names_offset);
      !status.ok()) {
    return status;
  }
  return elf;
}

DebugElf::~DebugElf() { elf_end(elf_); }

void DebugElf::Unpack(Elf64_Shdr& section, uint64_t offset, uint64_t size) {
  section.sh_offset = offset;
  section.sh_size = size;
  section.sh_flags &= ~uint64_t{SHF_COMPRESSED};
  // ".zdebug_info" becomes ".debug_info".
  if (NameOf(section).substr(0, 2) == ".z") {
    names_[++section.sh_name] = '.';
  }
}

absl::Status DebugElf::Prepare(size_t max_bytes,
                               const std::vector<SectionPart>& parts) {
  bool has_info = false;
  for (Elf64_Shdr& section : sections_) {
    const std::string_view name = DebugName(NameOf(section));
    if (name.empty() || section.sh_type == SHT_NOBITS) continue;
    const Extent extent = ExtentOf(name);
    if (extent == Extent::kNothing) {
      // Its name goes too: libdw takes a file with a .debug_cu_index for one
      // without split units.
      section.sh_name = 0;
      section.sh_type = SHT_NOBITS;
      section.sh_flags = 0;
      section.sh_size = 0;
      continue;
    }
    Narrow(section, name, parts);
    has_info |= name == "info";
    const char* content = copy_->data() + section.sh_offset;
    const uint64_t room = max_bytes - std::min(max_bytes, bytes());
    // Strings are all over the section: unpacked, each would cost much.
    const bool at_once =
        copy_->IsUnpacked(content) &&
        (name == "str" || section.sh_size <= std::min(room, kScattered));
    if (extent != Extent::kWhole && !at_once) continue;
    if (section.sh_size > room) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "its debug information needs more than ", max_bytes >> 20, " MiB"));
    }
    copy_->Read(content, section.sh_size);
  }
  return has_info ? absl::OkStatus()
                  : absl::NotFoundError("no debug information");
}

absl::Status DebugElf::Begin(uint64_t headers_offset, uint64_t names_offset) {
  // Read first, so that these are not read over what is changed.
  const size_t headers_size = sections_.size() * sizeof sections_[0];
  copy_->Read(copy_->data(), sizeof(Elf64_Ehdr));
  copy_->Read(copy_->data() + headers_offset, headers_size);
  copy_->Read(copy_->data() + names_offset, names_.size());
  std::memcpy(copy_->data() + headers_offset, sections_.data(), headers_size);
  std::memcpy(copy_->data() + names_offset, names_.data(), names_.size());
  elf_version(EV_CURRENT);
  elf_ = elf_memory(copy_->data(), copy_->size());
  return elf_ != nullptr ? absl::OkStatus()
                         : absl::InvalidArgumentError("not an ELF file");
}

std::string_view DebugElf::NameOf(const Elf64_Shdr& section) const {
  return NameIn(names_, section.sh_name);
}

std::string_view DebugElf::Section(std::string_view name) const {
  for (Elf_Scn* section = elf_nextscn(elf_, nullptr); section != nullptr;
       section = elf_nextscn(elf_, section)) {
    const size_t index = elf_ndxscn(section);
    if (index >= sections_.size() || sections_[index].sh_type == SHT_NOBITS ||
        DebugName(NameOf(sections_[index])) != name) {
      continue;
    }
    const Elf_Data* data = elf_rawdata(section, nullptr);
    if (data == nullptr || data->d_buf == nullptr) return {};
    return {static_cast<const char*>(data->d_buf), data->d_size};
  }
  return {};
}

}  // namespace wallprof::symbolize
