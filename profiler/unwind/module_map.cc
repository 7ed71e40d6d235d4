#include "profiler/unwind/module_map.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace wallprof::unwind {
namespace {

// Bounds on what a header may claim, so that a strange file costs little.
constexpr int kMaxProgramHeaders = 64;
constexpr size_t kMaxNoteBytes = 4096;

bool TakeHex(std::string_view& text, char after, uint64_t& value) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, 16);
  const size_t used = static_cast<size_t>(end - text.data());
  if (error != std::errc() || used >= text.size() || *end != after) {
    return false;
  }
  text.remove_prefix(used + 1);
  return true;
}

bool ParseMapsLine(std::string_view line, MapsEntry& entry) {
  if (!TakeHex(line, '-', entry.start) || !TakeHex(line, ' ', entry.limit) ||
      line.size() < 5) {
    return false;
  }
  entry.readable = line[0] == 'r';
  entry.writable = line[1] == 'w';
  entry.executable = line[2] == 'x';
  entry.is_private = line[3] == 'p';
  line.remove_prefix(5);
  if (!TakeHex(line, ' ', entry.file_offset)) return false;
  line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);  // device
  const size_t digits = line.find_first_not_of("0123456789");
  std::from_chars(line.data(), line.data() + line.size(), entry.inode);
  if (digits == std::string_view::npos) return true;
  line.remove_prefix(digits);
  const size_t path = line.find_first_not_of(' ');
  if (path != std::string_view::npos) entry.path = line.substr(path);
  return true;
}

// The program headers of an image whose first page is mapped at `start`.
class ElfHeaders {
 public:
  bool Read(const Memory& memory, uint64_t start) {
    Elf64_Ehdr header;
    if (memory.Read(start, &header, sizeof(header)) != sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_phentsize != sizeof(Elf64_Phdr) ||
        header.e_phnum > kMaxProgramHeaders) {
      return false;
    }
    count_ = header.e_phnum;
    const size_t bytes = count_ * sizeof(Elf64_Phdr);
    if (memory.Read(start + header.e_phoff, programs_, bytes) != bytes) {
      return false;
    }
    const Elf64_Phdr* first = Find(PT_LOAD);
    if (first == nullptr) return false;
    bias_ = start - (first->p_vaddr - first->p_offset);
    return true;
  }

  const Elf64_Phdr* Find(uint32_t type) const {
    for (int i = 0; i < count_; ++i) {
      if (programs_[i].p_type == type) return &programs_[i];
    }
    return nullptr;
  }

  // Program headers of notes, one after the other.
  const Elf64_Phdr* NextNote(const Elf64_Phdr* after) const {
    for (const Elf64_Phdr* p = after ? after + 1 : programs_;
         p < programs_ + count_; ++p) {
      if (p->p_type == PT_NOTE) return p;
    }
    return nullptr;
  }

  uint64_t bias() const { return bias_; }

 private:
  Elf64_Phdr programs_[kMaxProgramHeaders];
  int count_ = 0;
  uint64_t bias_ = 0;
};

void ReadBuildId(const Memory& memory, const ElfHeaders& headers,
                 stacks::ModuleRecord& module) {
  for (const Elf64_Phdr* note = headers.NextNote(nullptr); note != nullptr;
       note = headers.NextNote(note)) {
    char bytes[kMaxNoteBytes];
    const size_t size =
        memory.Read(headers.bias() + note->p_vaddr, bytes,
                    std::min<size_t>(note->p_memsz, sizeof(bytes)));
    for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= size;) {
      Elf64_Nhdr header;
      memcpy(&header, bytes + at, sizeof(header));
      const size_t name = at + sizeof(header);
      const size_t data = name + ((header.n_namesz + size_t{3}) & ~size_t{3});
      if (data + header.n_descsz > size || data < name) break;
      if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
          memcmp(bytes + name, "GNU", 4) == 0 &&
          header.n_descsz <= sizeof(module.build_id)) {
        memcpy(module.build_id, bytes + data, header.n_descsz);
        module.build_id_size = static_cast<uint8_t>(header.n_descsz);
        return;
      }
      at = data + ((header.n_descsz + size_t{3}) & ~size_t{3});
    }
  }
}

// Only the form that linkers make: a table of 4-byte offsets from the
// header, sorted (DW_EH_PE_datarel | DW_EH_PE_sdata4), after a pointer to
// .eh_frame and a count.
void ReadFrameHeader(const Memory& memory, const ElfHeaders& headers,
                     ElfImage& image) {
  const Elf64_Phdr* program = headers.Find(PT_GNU_EH_FRAME);
  if (program == nullptr) return;
  struct {
    uint8_t version, pointer_encoding, count_encoding, table_encoding;
    int32_t frame_pointer;
    uint32_t count;
  } header;
  static_assert(sizeof(header) == 12);
  constexpr uint8_t kPcRelative4 = 0x1b, kUnsigned4 = 0x03, kTable = 0x3b;
  const uint64_t at = headers.bias() + program->p_vaddr;
  if (memory.Read(at, &header, sizeof(header)) != sizeof(header) ||
      header.version != 1 || header.pointer_encoding != kPcRelative4 ||
      header.count_encoding != kUnsigned4 || header.table_encoding != kTable) {
    return;
  }
  image.frame_header = at;
  image.table = at + sizeof(header);
  image.table_entries = header.count;
}

stacks::ModuleRecord RecordOf(const MapsEntry& entry) {
  stacks::ModuleRecord module;
  module.start = entry.start;
  module.limit = entry.limit;
  module.file_offset = entry.file_offset;
  const size_t size = std::min(entry.path.size(), sizeof(module.path));
  memcpy(module.path, entry.path.data(), size);
  module.path_size = static_cast<uint16_t>(size);
  return module;
}

bool SameFile(const MapsEntry& a, const MapsEntry& b) {
  return a.inode == b.inode && a.path == b.path;
}

bool IsFileOrVdso(const MapsEntry& entry) {
  return !entry.path.empty() &&
         (entry.path[0] == '/' || entry.path == "[vdso]");
}

template <typename Range>
const Range* FindRange(const std::vector<Range>& ranges, uint64_t address) {
  auto after = std::upper_bound(
      ranges.begin(), ranges.end(), address,
      [](uint64_t at, const Range& range) { return at < range.start; });
  if (after == ranges.begin()) return nullptr;
  const Range& range = *std::prev(after);
  return address < range.limit ? &range : nullptr;
}

}  // namespace

std::vector<MapsEntry> ParseMaps(std::string_view text) {
  std::vector<MapsEntry> entries;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    MapsEntry entry;
    if (ParseMapsLine(text.substr(0, end), entry)) entries.push_back(entry);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return entries;
}

std::string ReadMaps() {
  const threads::FileDescriptor file(
      open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!file.valid()) return text;
  constexpr size_t kChunk = 64 << 10;
  for (;;) {
    const size_t size = text.size();
    text.resize(size + kChunk);
    const ssize_t n = read(file.get(), text.data() + size, kChunk);
    text.resize(size + (n > 0 ? static_cast<size_t>(n) : 0));
    if (n <= 0) return text;
  }
}

ModuleMap ModuleMap::Read(std::string_view maps, const Memory& memory,
                          stacks::Recording& recording) {
  ModuleMap result;
  const std::vector<MapsEntry> entries = ParseMaps(maps);
  for (size_t first = 0; first < entries.size();) {
    // The mappings of one file that follow each other make an image; memory
    // without a file between them (.bss, gaps) does not end it.
    size_t last = first;
    for (size_t i = first + 1; i < entries.size(); ++i) {
      if (!SameFile(entries[i], entries[first])) {
        if (IsFileOrVdso(entries[i])) break;
        continue;
      }
      if (entries[i].file_offset == 0) break;  // the file mapped once more
      last = i;
    }
    ElfHeaders headers;
    if (!IsFileOrVdso(entries[first]) || !entries[first].readable ||
        !headers.Read(memory, entries[first].start)) {
      ++first;
      continue;
    }
    ElfImage image{entries[first].start, entries[last].limit};
    ReadFrameHeader(memory, headers, image);
    const auto index = static_cast<uint32_t>(result.images_.size());
    for (size_t i = first; i <= last; ++i) {
      if (!entries[i].executable || !SameFile(entries[i], entries[first])) {
        continue;
      }
      stacks::ModuleRecord module = RecordOf(entries[i]);
      ReadBuildId(memory, headers, module);
      result.code_.push_back(
          {module.start, module.limit, recording.AddModule(module), index});
    }
    result.images_.push_back(image);
    first = last + 1;
  }
  return result;
}

const CodeRange* ModuleMap::FindCode(uint64_t address) const {
  return FindRange(code_, address);
}

const ElfImage* ModuleMap::FindImage(uint64_t address) const {
  return FindRange(images_, address);
}

}  // namespace wallprof::unwind
