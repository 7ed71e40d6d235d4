#include "profiler/symbolize/elf_image.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "profiler/symbolize/regular_file.h"

namespace wallprof::symbolize {
namespace {

// A build id is 20 bytes, its note 36. Longer notes are not read.
constexpr uint64_t kLongestNotes = 64 << 10;

uint64_t EndOf(uint64_t start, uint64_t size) {
  uint64_t end = 0;
  return __builtin_add_overflow(start, size, &end)
             ? std::numeric_limits<uint64_t>::max()
             : end;
}

// The bytes of the image at `base` in this process, as far as its headers say
// that it reaches.
std::string LoadedImage(const char* base) {
  Elf64_Ehdr header;
  std::memcpy(&header, base, sizeof header);
  uint64_t end = header.e_shoff + uint64_t{header.e_shnum} * header.e_shentsize;
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, base + header.e_phoff + i * sizeof segment,
                sizeof segment);
    if (segment.p_type == PT_LOAD) {
      end = std::max(end, segment.p_offset + segment.p_filesz);
    }
  }
  return std::string(base, end);
}

// The build id among the notes of one segment, as bytes; empty if not there.
std::string_view BuildIdAmong(Elf_Data* notes) {
  GElf_Nhdr note;
  size_t name = 0;
  size_t description = 0;
  for (size_t at = 0;
       notes != nullptr &&
       (at = gelf_getnote(notes, at, &note, &name, &description)) > 0;) {
    const char* bytes = static_cast<const char*>(notes->d_buf);
    if (note.n_type == NT_GNU_BUILD_ID &&
        std::string_view(bytes + name, note.n_namesz) ==
            std::string_view(ELF_NOTE_GNU, sizeof ELF_NOTE_GNU)) {
      return std::string_view(bytes + description, note.n_descsz);
    }
  }
  return {};
}

}  // namespace

absl::StatusOr<std::unique_ptr<ElfImage>> ElfImage::Open(
    const std::string& path) {
  absl::StatusOr<int> fd = OpenRegularFile(path);
  if (!fd.ok()) return fd.status();
  std::unique_ptr<ElfImage> image(new ElfImage(*fd, {}));
  if (absl::Status loaded = image->Load(); !loaded.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", loaded.message()));
  }
  return image;
}

absl::StatusOr<std::unique_ptr<ElfImage>> ElfImage::Parse(std::string bytes) {
  std::unique_ptr<ElfImage> image(new ElfImage(-1, std::move(bytes)));
  if (absl::Status loaded = image->Load(); !loaded.ok()) return loaded;
  return image;
}

absl::StatusOr<std::unique_ptr<ElfImage>> ElfImage::Vdso() {
  const auto base = reinterpret_cast<const char*>(getauxval(AT_SYSINFO_EHDR));
  if (base == nullptr) return absl::NotFoundError("this process has no vDSO");
  return Parse(LoadedImage(base));
}

ElfImage::ElfImage(int fd, std::string memory)
    : fd_(fd), memory_(std::move(memory)) {}

ElfImage::~ElfImage() {
  elf_end(elf_);
  if (fd_ >= 0) close(fd_);
}

absl::Status ElfImage::Load() {
  elf_version(EV_CURRENT);
  elf_ = fd_ >= 0 ? elf_begin(fd_, ELF_C_READ, nullptr)
                  : elf_memory(memory_.data(), memory_.size());
  GElf_Ehdr header;
  if (elf_ == nullptr || elf_kind(elf_) != ELF_K_ELF ||
      gelf_getehdr(elf_, &header) == nullptr) {
    return absl::InvalidArgumentError("not an ELF file");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64 ||
      (header.e_type != ET_DYN && header.e_type != ET_EXEC &&
       header.e_type != ET_REL)) {
    return absl::InvalidArgumentError(
        "not an x86-64 program or shared library");
  }
  LoadSections();
  return absl::OkStatus();
}

void ElfImage::LoadSections() {
  size_t count = 0;
  size_t section_names = 0;
  if (elf_getshdrnum(elf_, &count) != 0) return;
  elf_getshdrstrndx(elf_, &section_names);
  for (size_t i = 0; i < count; ++i) {
    GElf_Shdr header = {};
    // A header that cannot be read keeps its place, with nothing in it.
    gelf_getshdr(elf_getscn(elf_, i), &header);
    const char* name = elf_strptr(elf_, section_names, header.sh_name);
    sections_.push_back({header.sh_addr, EndOf(header.sh_addr, header.sh_size),
                         (header.sh_flags & SHF_EXECINSTR) != 0,
                         name == nullptr ? "" : name, header.sh_offset,
                         header.sh_type == SHT_NOBITS ? 0 : header.sh_size});
    if ((header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM) ||
        header.sh_entsize != sizeof(Elf64_Sym)) {
      continue;
    }
    GElf_Shdr names;
    if (gelf_getshdr(elf_getscn(elf_, header.sh_link), &names) == nullptr) {
      continue;
    }
    symbol_tables_.push_back({header.sh_type == SHT_DYNSYM, header.sh_offset,
                              header.sh_size, names.sh_offset, names.sh_size});
  }
}

std::string_view ElfImage::BuildIdIn(uint64_t offset, uint64_t size,
                                     uint64_t alignment) const {
  if (size > kLongestNotes) return {};
  return BuildIdAmong(
      elf_getdata_rawchunk(elf_, static_cast<int64_t>(offset), size,
                           alignment == 8 ? ELF_T_NHDR8 : ELF_T_NHDR));
}

std::string ElfImage::BuildId() const {
  std::string_view id;
  size_t count = 0;
  if (elf_getphdrnum(elf_, &count) != 0) count = 0;
  for (size_t i = 0; i < count && id.empty(); ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf_, static_cast<int>(i), &segment) != nullptr &&
        segment.p_type == PT_NOTE) {
      id = BuildIdIn(segment.p_offset, segment.p_filesz, segment.p_align);
    }
  }
  // Files of debug information need not have segments.
  for (const Section& section : sections_) {
    if (id.empty() && section.name == ".note.gnu.build-id") {
      id = BuildIdIn(section.offset, section.size, /*alignment=*/4);
    }
  }
  return absl::BytesToHexString(absl::string_view(id.data(), id.size()));
}

std::string ElfImage::Content(std::string_view name, size_t max_bytes) const {
  for (const Section& section : sections_) {
    if (section.name != name || section.size > max_bytes) continue;
    std::string content(section.size, '\0');
    content.resize(ReadAt(section.offset, section.size, content.data()));
    return content;
  }
  return "";
}

bool ElfImage::HasContent(std::string_view name) const {
  for (const Section& section : sections_) {
    if (section.name == name && section.size > 0) return true;
  }
  return false;
}

std::optional<uint64_t> ElfImage::AddressOf(uint64_t offset) const {
  size_t count = 0;
  if (elf_getphdrnum(elf_, &count) != 0) return std::nullopt;
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf_, static_cast<int>(i), &segment) != nullptr &&
        segment.p_type == PT_LOAD && offset >= segment.p_offset &&
        offset - segment.p_offset < segment.p_filesz) {
      return segment.p_vaddr + (offset - segment.p_offset);
    }
  }
  return std::nullopt;
}

size_t ElfImage::ReadAt(uint64_t offset, size_t size, void* to) const {
  if (fd_ < 0) {
    return offset < memory_.size()
               ? memory_.copy(static_cast<char*>(to), size, offset)
               : 0;
  }
  return symbolize::ReadAt(fd_, offset, size, to);
}

}  // namespace wallprof::symbolize
