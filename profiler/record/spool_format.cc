#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "profiler/record/spool.h"

namespace wallprof::record {
namespace {

constexpr std::string_view kMagic = "wPr2";
constexpr size_t kHeaderBytes = 12;

// Of all slices of a file together, so that sums do not overflow: a thousand
// times what a file of honest slices comes to.
constexpr int64_t kMostOfFile = int64_t{1} << 60;

uint32_t Crc(std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void AppendFixed32(uint32_t value, std::string& out) {
  for (int shift = 0; shift < 32; shift += 8) {
    out += static_cast<char>(value >> shift);
  }
}

uint32_t Fixed32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= uint32_t{static_cast<uint8_t>(bytes[at + i])} << (8 * i);
  }
  return value;
}

// The payload of the record at `at`; its data is null when there is no whole
// one.
std::string_view PayloadAt(std::string_view bytes, size_t at) {
  if (bytes.size() - at < kHeaderBytes ||
      bytes.substr(at, kMagic.size()) != kMagic) {
    return {};
  }
  const uint32_t size = Fixed32(bytes, at + kMagic.size());
  const std::string_view payload = bytes.substr(at + kHeaderBytes, size);
  const uint32_t crc = Fixed32(bytes, at + kMagic.size() + sizeof(size));
  return payload.size() == size && Crc(payload) == crc ? payload
                                                       : std::string_view();
}

// Where the next whole record after `at` begins; the end if there is none.
size_t NextRecord(std::string_view bytes, size_t at) {
  do {
    at = std::min(bytes.find(kMagic, at + 1), bytes.size());
  } while (at < bytes.size() && PayloadAt(bytes, at).data() == nullptr);
  return at;
}

class Decoder {
 public:
  Decoder(SpoolFile& file, size_t file_bytes)
      : file_(file), file_bytes_(file_bytes) {}

  bool Add(std::string_view payload) {
    ByteReader in(payload);
    if (!file_.dictionary.Decode(in, file_bytes_)) return false;
    Slice slice;
    if (!DecodeSlice(in, file_.dictionary.key_count(), slice)) return false;
    for (const stacks::Counts& total : {slice.total, slice.lock_waits.total}) {
      sum_ += total.wall_ns + total.cpu_ns + total.samples;
    }
    if (sum_ > kMostOfFile) return false;
    file_.slices.push_back(std::move(slice));
    for (uint64_t left = in.Count(); left > 0; --left) {
      Event event;
      if (!DecodeEvent(in, event)) return false;
      file_.events.push_back(std::move(event));
    }
    return in.ok() && in.left() == 0;
  }

 private:
  SpoolFile& file_;
  const size_t file_bytes_;
  int64_t sum_ = 0;
};

}  // namespace

std::string EncodeRecord(const Dictionary& dictionary,
                         const Dictionary::Extent& known, const Slice& slice,
                         absl::Span<const Event> events) {
  ByteWriter out;
  dictionary.Encode(known, out);
  EncodeSlice(slice, out);
  out.Number(events.size());
  for (const Event& event : events) EncodeEvent(event, out);
  return out.Take();
}

std::string FrameRecord(std::string_view payload) {
  std::string record(kMagic);
  AppendFixed32(static_cast<uint32_t>(payload.size()), record);
  AppendFixed32(Crc(payload), record);
  record += payload;
  return record;
}

std::unique_ptr<SpoolFile> DecodeSpool(std::string_view bytes,
                                       const std::string& name,
                                       std::vector<std::string>& problems) {
  auto file = std::make_unique<SpoolFile>();
  Decoder decoder(*file, bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    const std::string_view payload = PayloadAt(bytes, at);
    if (payload.data() != nullptr) {
      if (!decoder.Add(payload)) {
        problems.push_back(absl::StrCat(name, ": the record at offset ", at,
                                        " is malformed; left out"));
      }
      at += kHeaderBytes + payload.size();
      continue;
    }
    const size_t next = NextRecord(bytes, at);
    problems.push_back(absl::StrCat(
        name, ": ", next - at, " bytes at offset ", at,
        next == bytes.size() ? " are a torn record" : " are corrupt",
        "; left out"));
    at = next;
  }
  return file;
}

}  // namespace wallprof::record
