#include "profiler/symbolize/dwarf/debug_elf.h"

#include <endian.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace wallprof::symbolize {
namespace {

// How much of a section libdw is given at the start.
enum class Extent {
  kNothing,  // not looked at; hidden where unpacking it would cost memory
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

// The size that a packed section unpacks to; nullopt if it is not packed.
std::optional<uint64_t> UnpackedSize(const Elf64_Shdr& section,
                                     std::string_view name, const char* bytes) {
  if (section.sh_flags & SHF_COMPRESSED) {
    Elf64_Chdr header = {};
    if (section.sh_size >= sizeof header) {
      std::memcpy(&header, bytes, sizeof header);
    }
    return header.ch_size;
  }
  // The older form: "ZLIB" and the size, most significant byte first.
  if (absl::StartsWith(absl::string_view(name.data(), name.size()),
                       ".zdebug_")) {
    uint64_t size = 0;
    if (section.sh_size >= 12) std::memcpy(&size, bytes + 4, sizeof size);
    return be64toh(size);
  }
  return std::nullopt;
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
  absl::StatusOr<std::unique_ptr<FileCopy>> copy = FileCopy::Of(fd);
  if (!copy.ok()) return copy.status();
  std::unique_ptr<DebugElf> elf(new DebugElf(*std::move(copy)));
  if (absl::Status status = elf->Prepare(max_bytes, parts); !status.ok()) {
    return status;
  }
  return elf;
}

DebugElf::~DebugElf() { elf_end(elf_); }

absl::Status DebugElf::Prepare(size_t max_bytes,
                               const std::vector<SectionPart>& parts) {
  if (absl::Status status = ReadHeaders(); !status.ok()) return status;
  for (size_t i = 0; i < sections_.size(); ++i) {
    Elf64_Shdr& section = sections_[i];
    Narrow(section, DebugName(NameOf(section)), parts);
    if (absl::Status status =
            PrepareSection(section, NameOf(section), max_bytes);
        !status.ok()) {
      return status;
    }
    std::memcpy(copy_->data() + headers_offset_ + i * sizeof section, &section,
                sizeof section);
  }
  if (!has_info_) return absl::NotFoundError("no debug information");
  elf_version(EV_CURRENT);
  elf_ = elf_memory(copy_->data(), copy_->size());
  if (elf_ == nullptr) return absl::InvalidArgumentError("not an ELF file");
  return absl::OkStatus();
}

absl::Status DebugElf::ReadHeaders() {
  const absl::Status malformed = absl::InvalidArgumentError("not an ELF file");
  Elf64_Ehdr header;
  if (copy_->size() < sizeof header) return malformed;
  copy_->Read(copy_->data(), sizeof header);
  std::memcpy(&header, copy_->data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64 ||
      header.e_shentsize != sizeof(Elf64_Shdr) ||
      header.e_shstrndx >= header.e_shnum) {
    return malformed;
  }
  headers_offset_ = header.e_shoff;
  const size_t size = header.e_shnum * sizeof(Elf64_Shdr);
  if (headers_offset_ > copy_->size() ||
      size > copy_->size() - headers_offset_) {
    return malformed;
  }
  const char* headers = copy_->data() + headers_offset_;
  copy_->Read(headers, size);
  sections_.resize(header.e_shnum);
  std::memcpy(sections_.data(), headers, size);
  for (Elf64_Shdr& section : sections_) {
    // What lies outside of the file is not there.
    if (section.sh_type == SHT_NOBITS) section.sh_size = 0;
    section.sh_offset = std::min<uint64_t>(section.sh_offset, copy_->size());
    section.sh_size =
        std::min<uint64_t>(section.sh_size, copy_->size() - section.sh_offset);
  }
  const Elf64_Shdr& names = sections_[header.e_shstrndx];
  names_offset_ = names.sh_offset;
  names_size_ = names.sh_size;
  copy_->Read(copy_->data() + names_offset_, names_size_);
  return absl::OkStatus();
}

std::string_view DebugElf::NameOf(const Elf64_Shdr& section) const {
  if (section.sh_name >= names_size_) return {};
  const char* name = copy_->data() + names_offset_ + section.sh_name;
  return {name, strnlen(name, names_size_ - section.sh_name)};
}

absl::Status DebugElf::PrepareSection(Elf64_Shdr& section,
                                      std::string_view name, size_t max_bytes) {
  const char* content = copy_->data() + section.sh_offset;
  const std::string_view debug_name = DebugName(name);
  if (debug_name.empty() || section.sh_type == SHT_NOBITS) {
    return absl::OkStatus();
  }
  const Extent extent = ExtentOf(debug_name);
  if (extent == Extent::kNothing) {
    // Its name goes too: libdw takes a file with a .debug_cu_index for one
    // without split units.
    section.sh_name = 0;
    section.sh_type = SHT_NOBITS;
    section.sh_flags = 0;
    section.sh_size = 0;
    return absl::OkStatus();
  }
  copy_->Read(content, sizeof(Elf64_Chdr));
  const auto unpacked = UnpackedSize(section, name, content);
  const bool whole = extent == Extent::kWhole || unpacked.has_value();
  const uint64_t packed = whole ? section.sh_size : 0;
  const uint64_t room = max_bytes - std::min(max_bytes, bytes());
  if (packed > room || unpacked.value_or(0) > room - packed) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "its debug information needs more than ", max_bytes >> 20, " MiB"));
  }
  if (whole) copy_->Read(content, section.sh_size);
  if (unpacked.has_value()) {
    unpacked_bytes_ += *unpacked;
    packed_.emplace_back(content, section.sh_size);
  }
  has_info_ |= debug_name == "info";
  return absl::OkStatus();
}

void DebugElf::ForgetPacked() {
  for (const std::string_view content : packed_) {
    copy_->Forget(content.data(), content.size());
  }
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
