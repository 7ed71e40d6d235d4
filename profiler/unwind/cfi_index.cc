#include "profiler/unwind/cfi_index.h"

#include <algorithm>
#include <cstring>

#include "profiler/unwind/stack_copy.h"

namespace wallprof::unwind {
namespace {

// An FDE or CIE longer than this is not made by compilers.
constexpr size_t kMaxEntryBytes = 4096;

enum PointerEncoding : uint8_t {
  kAbsolute = 0x00,
  kUnsigned4 = 0x03,
  kUnsigned8 = 0x04,
  kSigned4 = 0x0b,
  kSigned8 = 0x0c,
  kFormatMask = 0x0f,
  kPcRelative = 0x10,
  kRelationMask = 0x70,
};

// Reads a copied entry from front to back; after an overrun, `ok` is false
// and everything read is 0.
class EntryReader {
 public:
  EntryReader(const uint8_t* bytes, size_t size, uint64_t address)
      : bytes_(bytes), size_(size), address_(address) {}

  template <typename Integer>
  Integer Take() {
    Integer value{};
    if (size_ - at_ < sizeof(value)) {
      ok_ = false;
      at_ = size_;
      return value;
    }
    memcpy(&value, bytes_ + at_, sizeof(value));
    at_ += sizeof(value);
    return value;
  }

  uint64_t TakeUleb() {
    uint64_t value = 0;
    for (int shift = 0; ok_; shift += 7) {
      const auto byte = Take<uint8_t>();
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) break;
    }
    return value;
  }

  uint64_t TakePointer(uint8_t encoding) {
    const uint64_t base =
        (encoding & kRelationMask) == kPcRelative ? address_ + at_ : 0;
    switch (encoding & kFormatMask) {
      case kAbsolute:
      case kUnsigned8:
      case kSigned8:
        return base + Take<uint64_t>();
      case kUnsigned4:
        return base + Take<uint32_t>();
      case kSigned4:
        return base + static_cast<uint64_t>(int64_t{Take<int32_t>()});
      default:
        ok_ = false;
        return 0;
    }
  }

  void Skip(uint64_t bytes) {
    if (bytes > size_ - at_) {
      ok_ = false;
      bytes = size_ - at_;
    }
    at_ += bytes;
  }

  bool ok() const { return ok_; }
  bool done() const { return at_ >= size_; }
  size_t position() const { return at_; }

 private:
  const uint8_t* bytes_;
  size_t size_;
  uint64_t address_;  // of the first byte
  size_t at_ = 0;
  bool ok_ = true;
};

// A CIE or FDE copied from memory, without its length word.
struct EntryCopy {
  std::array<uint8_t, kMaxEntryBytes> bytes;
  size_t size = 0;
  uint64_t address = 0;  // of bytes[0]

  bool ReadFrom(PageCache& pages, uint64_t at) {
    uint32_t length;
    if (!pages.Read(at, &length, sizeof(length))) return false;
    address = at + sizeof(length);
    size = length;
    return size <= bytes.size() && pages.Read(address, bytes.data(), size);
  }

  EntryReader Reader() const { return {bytes.data(), size, address}; }
};

struct Cie {
  uint8_t pointer_encoding = kAbsolute;
  bool has_augmentation_data = false;
  bool is_signal_frame = false;
  size_t instructions_at = 0;
};

bool ParseCie(const EntryCopy& entry, Cie& cie) {
  EntryReader reader = entry.Reader();
  reader.Skip(sizeof(uint32_t));  // the id, 0
  const auto version = reader.Take<uint8_t>();
  if (version != 1 && version != 3) return false;
  const char* augmentation =
      reinterpret_cast<const char*>(&entry.bytes[reader.position()]);
  while (reader.ok() && reader.Take<char>() != 0) {
  }
  if (!reader.ok()) return false;
  reader.TakeUleb();  // code alignment
  reader.TakeUleb();  // data alignment; signed, but only skipped
  version == 1 ? reader.Take<uint8_t>() : reader.TakeUleb();  // return register
  if (*augmentation == 'z') {
    cie.has_augmentation_data = true;
    const uint64_t length = reader.TakeUleb();
    cie.instructions_at = reader.position() + length;
    for (const char* c = augmentation + 1; *c != 0; ++c) {
      if (*c == 'R') {
        cie.pointer_encoding = reader.Take<uint8_t>();
      } else if (*c == 'P') {
        const auto encoding = reader.Take<uint8_t>();
        reader.TakePointer(encoding);
      } else if (*c == 'L') {
        reader.Take<uint8_t>();
      } else if (*c == 'S') {
        cie.is_signal_frame = true;
      }
    }
  } else {
    cie.instructions_at = reader.position();
  }
  return reader.ok() && cie.instructions_at <= entry.size;
}

// Skips the operands of one call-frame instruction. False for one that is not
// known.
bool SkipOperands(uint8_t opcode, uint8_t pointer_encoding,
                  EntryReader& reader) {
  // DWARF 4, 6.4.2; by number of LEB128 operands.
  switch (opcode) {
    case 0x00:  // nop
    case 0x0a:  // remember_state
    case 0x0b:  // restore_state
    case 0x2d:  // GNU_window_save
      return true;
    case 0x01:  // set_loc
      reader.TakePointer(pointer_encoding);
      return true;
    case 0x02:  // advance_loc1
      reader.Skip(1);
      return true;
    case 0x03:  // advance_loc2
      reader.Skip(2);
      return true;
    case 0x04:  // advance_loc4
      reader.Skip(4);
      return true;
    case 0x06:  // restore_extended
    case 0x07:  // undefined
    case 0x08:  // same_value
    case 0x0d:  // def_cfa_register
    case 0x0e:  // def_cfa_offset
    case 0x13:  // def_cfa_offset_sf
    case 0x2e:  // GNU_args_size
      reader.TakeUleb();
      return true;
    case 0x05:  // offset_extended
    case 0x09:  // register
    case 0x0c:  // def_cfa
    case 0x11:  // offset_extended_sf
    case 0x12:  // def_cfa_sf
    case 0x14:  // val_offset
    case 0x15:  // val_offset_sf
    case 0x2f:  // GNU_negative_offset_extended
      reader.TakeUleb();
      reader.TakeUleb();
      return true;
    case 0x0f:  // def_cfa_expression
      reader.Skip(reader.TakeUleb());
      return true;
    case 0x10:  // expression
    case 0x16:  // val_expression
      reader.TakeUleb();
      reader.Skip(reader.TakeUleb());
      return true;
    default:
      return false;
  }
}

// Whether the instructions say that the return address is undefined, which is
// how assemblers mark the outermost function.
bool ReturnAddressUndefined(EntryReader reader, uint8_t pointer_encoding) {
  constexpr uint8_t kUndefined = 0x07;
  while (reader.ok() && !reader.done()) {
    const auto opcode = reader.Take<uint8_t>();
    const uint8_t primary = opcode >> 6;
    if (primary == 2) {  // offset
      reader.TakeUleb();
    } else if (primary == 0) {
      if (opcode == kUndefined) {
        if (reader.TakeUleb() == kRip) return true;
      } else if (!SkipOperands(opcode, pointer_encoding, reader)) {
        return false;
      }
    }  // advance_loc and restore have no operands
  }
  return false;
}

}  // namespace

void CfiIndex::SetMap(const ModuleMap* map) {
  map_ = map;
  Clear();
}

void CfiIndex::Clear() {
  for (size_t i = 0; i < kCached; ++i) {
    cached_[i].pc = 0;
    cached_[i].covered = false;
  }
}

const FrameDescription* CfiIndex::Find(uint64_t pc) {
  Cached& cached = cached_[(pc ^ (pc >> 13)) % kCached];
  if (cached.pc != pc) {
    cached.pc = pc;
    cached.covered = Search(pc, cached.description);
  }
  return cached.covered ? &cached.description : nullptr;
}

bool CfiIndex::Search(uint64_t pc, FrameDescription& description) {
  if (map_ == nullptr) return false;
  const CodeRange* code = map_->FindCode(pc);
  if (code == nullptr) return false;
  const ElfImage& image = map_->image(*code);
  if (image.table_entries == 0) return false;
  struct {
    int32_t function, fde;  // relative to the header
  } entry;
  const auto read = [&](uint64_t index) {
    return pages_.Read(image.table + index * sizeof(entry), &entry,
                       sizeof(entry));
  };
  // The last entry whose function starts at or before pc.
  const int64_t wanted = static_cast<int64_t>(pc - image.frame_header);
  uint64_t low = 0, high = image.table_entries;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (!read(middle)) return false;
    if (entry.function <= wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0 || !read(low - 1)) return false;
  description = {};
  description.table_entry = image.table + (low - 1) * sizeof(entry);
  description.frame_header = image.frame_header;
  return ReadFde(image.frame_header + static_cast<uint64_t>(int64_t{entry.fde}),
                 description) &&
         pc >= description.start && pc < description.limit;
}

bool CfiIndex::ReadFde(uint64_t fde, FrameDescription& description) {
  EntryCopy entry;
  if (!entry.ReadFrom(pages_, fde)) return false;
  EntryReader reader = entry.Reader();
  const auto cie_distance = reader.Take<uint32_t>();
  if (cie_distance == 0) return false;
  EntryCopy cie_entry;
  Cie cie;
  if (!cie_entry.ReadFrom(pages_, entry.address - cie_distance) ||
      !ParseCie(cie_entry, cie)) {
    return false;
  }
  description.start = reader.TakePointer(cie.pointer_encoding);
  description.limit = description.start +
                      reader.TakePointer(cie.pointer_encoding & kFormatMask);
  if (cie.has_augmentation_data) reader.Skip(reader.TakeUleb());
  if (!reader.ok()) return false;
  description.is_signal_frame = cie.is_signal_frame;
  EntryReader initial = cie_entry.Reader();
  initial.Skip(cie.instructions_at);
  description.is_root = ReturnAddressUndefined(initial, cie.pointer_encoding) ||
                        ReturnAddressUndefined(reader, cie.pointer_encoding);
  return true;
}

}  // namespace wallprof::unwind
