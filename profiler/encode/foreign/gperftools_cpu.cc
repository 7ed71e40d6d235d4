// gperftools' CPU profiles: words of 64 bits, a header of five, then for each
// stack its count, its depth and its addresses, leaf first, until one of count
// 0; then the text of /proc/self/maps.
#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "profiler/encode/foreign/recognize.h"
#include "profiler/encode/lines.h"
#include "profiler/profile/sample_types.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

constexpr size_t kWordBytes = 8;

// Header words: 0, how many follow (3), version (0), the sampling period in
// microseconds, 0.
constexpr size_t kHeaderWords = 5;
constexpr uint64_t kWordsThatFollow = 3;

constexpr int64_t kNanosecondsPerMicrosecond = 1000;

// A day: a longer period is damage.
constexpr uint64_t kLongestPeriod = 86'400'000'000;

// More looks than any run makes; their CPU time still fits.
constexpr uint64_t kLargestCount = uint64_t{1} << 32;

class GperftoolsDecoder {
 public:
  explicit GperftoolsDecoder(std::string_view bytes) : bytes_(bytes) {
    profile_.sample_types = {{"samples", "count"}, {"cpu", kNanoseconds}};
    profile_.default_sample_type = "cpu";
    profile_.period_type = {"cpu", kNanoseconds};
  }

  absl::StatusOr<Profile> Decode() && {
    absl::Status status = ReadHeader();
    bool at_end = false;
    while (status.ok() && !at_end) status = ReadStack(at_end);
    if (status.ok()) status = ReadMemoryMap();
    if (!status.ok()) return status;
    for (Location& location : profile_.locations) FindMapping(location);
    return Merge(absl::MakeConstSpan(&profile_, 1));
  }

 private:
  absl::Status Wrong(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("byte ", at_, ": ", what));
  }

  // How many whole words are left.
  size_t WordsLeft() const { return (bytes_.size() - at_) / kWordBytes; }

  // There must be one.
  uint64_t TakeWord() {
    uint64_t word = 0;
    for (size_t i = kWordBytes; i-- > 0;) {
      word = word << 8 | static_cast<unsigned char>(bytes_[at_ + i]);
    }
    at_ += kWordBytes;
    return word;
  }

  absl::Status ReadHeader() {
    if (!IsGperftoolsCpu(bytes_)) return Wrong("not a header of 64-bit words");
    if (WordsLeft() < kHeaderWords) return Wrong("the header is cut short");
    for (int i = 0; i < 3; ++i) TakeWord();
    uint64_t period = TakeWord();
    if (period == 0 || period > kLongestPeriod) {
      return Wrong("the sampling period before it is none");
    }
    profile_.period = static_cast<int64_t>(period) * kNanosecondsPerMicrosecond;
    TakeWord();
    return absl::OkStatus();
  }

  absl::Status ReadStack(bool& at_end) {
    if (WordsLeft() < 2) return Wrong("it ends without a last stack");
    uint64_t count = TakeWord();
    uint64_t depth = TakeWord();
    if (depth > WordsLeft()) return Wrong("a stack is longer than the file");
    at_end = count == 0;
    if (at_end && depth != 1) return Wrong("a stack has no count");
    if (count > kLargestCount) return Wrong("a stack's count is too large");
    Sample sample;
    uint64_t leaf = 0;
    for (uint64_t i = 0; i < depth; ++i) {
      uint64_t address = TakeWord();
      if (i == 0) leaf = address;
      // The leaf's address comes from the signal's registers and, where the
      // unwinder saw that frame too, once more from the stack.
      if (i == 1 && address == leaf) continue;
      // Within the call instruction, as everywhere in a profile.
      sample.location_ids.push_back(LocationOf(i == 0 ? address : address - 1));
    }
    if (at_end) return absl::OkStatus();
    auto looks = static_cast<int64_t>(count);
    sample.values = {looks, SaturatingTime(looks)};
    profile_.samples.push_back(std::move(sample));
    return absl::OkStatus();
  }

  int64_t SaturatingTime(int64_t looks) const {
    int64_t time = 0;
    if (__builtin_mul_overflow(looks, profile_.period, &time)) {
      return std::numeric_limits<int64_t>::max();
    }
    return time;
  }

  uint64_t LocationOf(uint64_t address) {
    auto [known, is_new] =
        location_ids_.try_emplace(address, profile_.locations.size() + 1);
    if (is_new) {
      Location location;
      location.id = known->second;
      location.address = address;
      profile_.locations.push_back(std::move(location));
    }
    return known->second;
  }

  absl::Status ReadMemoryMap() {
    while (at_ < bytes_.size()) {
      std::string_view rest = bytes_.substr(at_);
      size_t before = rest.size();
      if (!AddMapping(TakeLine(rest)))
        return Wrong("not a line of a memory map");
      at_ += before - rest.size();
    }
    // By address, to be searched.
    std::sort(
        profile_.mappings.begin(), profile_.mappings.end(),
        [](const Mapping& a, const Mapping& b) { return a.start < b.start; });
    return absl::OkStatus();
  }

  // "start-limit perms offset device inode path". Only code is of interest.
  bool AddMapping(std::string_view line) {
    if (line.empty()) return true;
    std::string_view range = wallprof::TakeWord(line);
    std::string_view permissions = wallprof::TakeWord(line);
    std::string_view offset = wallprof::TakeWord(line);
    wallprof::TakeWord(line);
    wallprof::TakeWord(line);
    size_t dash = std::min(range.find('-'), range.size() - 1);
    std::optional<uint64_t> start =
        NumberOf<uint64_t>(range.substr(0, dash), 16);
    std::optional<uint64_t> limit =
        NumberOf<uint64_t>(range.substr(dash + 1), 16);
    std::optional<uint64_t> file_offset = NumberOf<uint64_t>(offset, 16);
    if (!start || !limit || !file_offset || *start >= *limit ||
        permissions.size() < 4) {
      return false;
    }
    if (permissions[2] != 'x' || line.empty()) return true;
    Mapping mapping;
    mapping.id = profile_.mappings.size() + 1;
    mapping.start = *start;
    mapping.limit = *limit;
    mapping.file_offset = *file_offset;
    mapping.filename = std::string(line);
    profile_.mappings.push_back(std::move(mapping));
    return true;
  }

  void FindMapping(Location& location) const {
    auto next = std::upper_bound(profile_.mappings.begin(),
                                 profile_.mappings.end(), location.address,
                                 [](uint64_t address, const Mapping& mapping) {
                                   return address < mapping.start;
                                 });
    if (next == profile_.mappings.begin()) return;
    const Mapping& mapping = *std::prev(next);
    if (location.address < mapping.limit) location.mapping_id = mapping.id;
  }

  std::string_view bytes_;
  size_t at_ = 0;  // the next byte
  Profile profile_;
  absl::flat_hash_map<uint64_t, uint64_t> location_ids_;
};

}  // namespace

bool IsGperftoolsCpu(std::string_view bytes) {
  constexpr size_t kWords = 3;
  if (bytes.size() < kWords * kWordBytes) return false;
  for (size_t i = 0; i < kWords * kWordBytes; ++i) {
    char expected =
        i == kWordBytes ? static_cast<char>(kWordsThatFollow) : '\0';
    if (bytes[i] != expected) return false;
  }
  return true;
}

absl::StatusOr<Profile> DecodeGperftoolsCpu(std::string_view bytes) {
  return GperftoolsDecoder(bytes).Decode();
}

}  // namespace wallprof
