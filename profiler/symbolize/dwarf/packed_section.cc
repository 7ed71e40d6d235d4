#include "profiler/symbolize/dwarf/packed_section.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "profiler/symbolize/regular_file.h"

namespace wallprof::symbolize {
namespace {

// A state takes some 40 KiB, a twenty-fifth of what lies between two. Unpacking
// that much takes some milliseconds.
constexpr uint64_t kStride = uint64_t{1} << 20;
constexpr size_t kStateBytes = 40 << 10;

// Read, or passed over, at a time.
constexpr size_t kPiece = 64 << 10;

// What to read for so much: packed it is hardly ever more.
size_t PackedSizeOf(size_t unpacked) {
  return std::clamp(unpacked, size_t{4} << 10, kPiece);
}

}  // namespace

PackedSection::State::State(const State& other)
    : valid(other.valid), unpacked(other.unpacked), read(other.read) {
  // zlib takes the source as not const, and does not change it.
  valid = valid &&
          inflateCopy(&stream, const_cast<z_stream*>(&other.stream)) == Z_OK;
}

PackedSection::State::~State() {
  if (valid) inflateEnd(&stream);
}

PackedSection::PackedSection(int fd, const PackedExtent& extent)
    : fd_(fd), extent_(extent) {}

PackedSection::~PackedSection() = default;

void PackedSection::Read(uint64_t offset, size_t size, char* to) {
  GoTo(offset);
  // Else what is before it could not be unpacked.
  if (now_->unpacked == offset) Unpack(to, size);
}

size_t PackedSection::bytes() const {
  return input_.capacity() + skipped_.capacity() +
         (kept_.size() + (now_ == nullptr ? 0 : 1)) * kStateBytes;
}

void PackedSection::Begin() {
  now_ = std::make_unique<State>();
  now_->valid = inflateInit(&now_->stream) == Z_OK;
}

void PackedSection::GoTo(uint64_t offset) {
  const auto after = kept_.upper_bound(offset);
  const State* nearest =
      after == kept_.begin() ? nullptr : &std::prev(after)->second;
  const bool behind = now_ == nullptr || now_->unpacked > offset;
  if (nearest != nullptr && (behind || nearest->unpacked > now_->unpacked)) {
    now_ = std::make_unique<State>(*nearest);
  } else if (behind) {
    Begin();
  }
  skipped_.resize(kPiece);
  while (now_->unpacked < offset) {
    const size_t size = std::min<uint64_t>(kPiece, offset - now_->unpacked);
    if (Unpack(skipped_.data(), size) < size) return;
  }
}

// Returns how many bytes there were: fewer at the end, or where they are
// malformed.
size_t PackedSection::Unpack(char* to, size_t size) {
  input_.resize(kPiece);
  size_t done = 0;
  while (done < size && now_->valid) {
    const uint64_t next = (now_->unpacked / kStride + 1) * kStride;
    const size_t wanted =
        std::min<uint64_t>(size - done, next - now_->unpacked);
    // Each time anew, so that a state has no bytes that were read ahead.
    const size_t got = ReadAt(
        fd_, extent_.offset + now_->read,
        std::min<uint64_t>(PackedSizeOf(wanted), extent_.size - now_->read),
        input_.data());
    z_stream& stream = now_->stream;
    stream.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream.avail_in = static_cast<uInt>(got);
    stream.next_out = reinterpret_cast<Bytef*>(to + done);
    stream.avail_out = static_cast<uInt>(wanted);
    const int result = inflate(&stream, Z_NO_FLUSH);
    const size_t unpacked = wanted - stream.avail_out;
    now_->read += got - stream.avail_in;
    now_->unpacked += unpacked;
    done += unpacked;
    if (result != Z_OK || (unpacked == 0 && stream.avail_in == got)) break;
    if (now_->unpacked == next && kept_.count(next) == 0) {
      kept_.try_emplace(next, *now_);
    }
  }
  return done;
}

}  // namespace wallprof::symbolize
