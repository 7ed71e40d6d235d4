#include "fleet/store/record.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace wallprof::store {
namespace {

// Neither text nor what gzip or zstd begin with.
constexpr std::string_view kMagic("\x8bwprec\n\x01", 8);

// Magic, checksum of the head, sizes, checksum of the payload.
constexpr size_t kHeadCrcAt = 8;
constexpr size_t kHeadBytesAt = 12;
constexpr size_t kPayloadBytesAt = 16;
constexpr size_t kPayloadCrcAt = 20;
constexpr size_t kFixedBytes = 24;

// Labels and names are a few hundred bytes.
constexpr uint32_t kMaxHeadBytes = 1 << 20;

uint32_t Crc(std::string_view bytes) {
  return libdeflate_crc32(0, bytes.data(), bytes.size());
}

void PutFixed(char* to, uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<char>(value >> (8 * i));
}

uint32_t GetFixed(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

void PutNumber(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    to += static_cast<char>(value | 0x80);
  }
  to += static_cast<char>(value);
}

void PutText(std::string& to, std::string_view text) {
  PutNumber(to, text.size());
  to += text;
}

// Takes from the front of a head; once wrong, stays so.
class HeadReader {
 public:
  explicit HeadReader(std::string_view head) : rest_(head) {}

  uint64_t TakeNumber() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    is_wrong_ = true;
    return 0;
  }

  std::string TakeText() {
    const uint64_t size = TakeNumber();
    if (size > rest_.size()) {
      is_wrong_ = true;
      return "";
    }
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }

  size_t left() const { return rest_.size(); }
  bool is_wrong() const { return is_wrong_; }

 private:
  std::string_view rest_;
  bool is_wrong_ = false;
};

bool ParseHead(std::string_view head, Record& record) {
  HeadReader reader(head);
  const uint64_t encoding = reader.TakeNumber();
  record.encoding = static_cast<Encoding>(encoding);
  record.dictionary = static_cast<int64_t>(reader.TakeNumber());
  record.message_bytes = static_cast<int64_t>(reader.TakeNumber());
  record.info.created_at =
      absl::FromUnixSeconds(static_cast<int64_t>(reader.TakeNumber()));
  record.info.id = reader.TakeText();
  record.info.series.service = reader.TakeText();
  record.info.series.type = reader.TakeText();
  const uint64_t labels = reader.TakeNumber();
  // Each has two lengths at least.
  if (reader.is_wrong() || labels > reader.left() / 2) return false;
  record.info.series.labels.reserve(labels);
  for (uint64_t i = 0; i < labels; ++i) {
    std::string key = reader.TakeText();
    std::string value = reader.TakeText();
    record.info.series.labels.emplace_back(std::move(key), std::move(value));
  }
  return !reader.is_wrong() && reader.left() == 0 &&
         encoding <= static_cast<uint64_t>(Encoding::kColumns) &&
         record.message_bytes >= 0;
}

// The bytes of the record that `bytes` begin with, whose head is right; else 0
// and why. `is_last` if no other record can follow.
int64_t SizeAt(std::string_view bytes, Record& record, std::string_view& reason,
               bool& is_last) {
  reason = "cut short";
  if (bytes.substr(0, kMagic.size()) != kMagic.substr(0, bytes.size())) {
    reason = "no record";
    return 0;
  }
  if (bytes.size() < kFixedBytes) return 0;
  const uint32_t head_bytes = GetFixed(bytes, kHeadBytesAt);
  const uint32_t payload_bytes = GetFixed(bytes, kPayloadBytesAt);
  if (head_bytes > kMaxHeadBytes || payload_bytes > kMaxPayloadBytes) {
    reason = "head damaged";
    return 0;
  }
  if (bytes.size() - kFixedBytes < head_bytes) return 0;
  const std::string_view checked =
      bytes.substr(kHeadBytesAt, kFixedBytes - kHeadBytesAt + head_bytes);
  if (Crc(checked) != GetFixed(bytes, kHeadCrcAt) ||
      !ParseHead(bytes.substr(kFixedBytes, head_bytes), record)) {
    reason = "head damaged";
    return 0;
  }
  // What looks like a record in there is part of the payload.
  is_last = bytes.size() - kFixedBytes - head_bytes < payload_bytes;
  if (is_last) return 0;
  record.payload = bytes.substr(kFixedBytes + head_bytes, payload_bytes);
  return static_cast<int64_t>(kFixedBytes) + head_bytes + payload_bytes;
}

bool PayloadIsRight(std::string_view bytes, const Record& record) {
  return Crc(record.payload) == GetFixed(bytes, kPayloadCrcAt);
}

}  // namespace

std::string EncodeRecord(const Record& record) {
  std::string bytes(kFixedBytes, '\0');
  const Series& series = record.info.series;
  PutNumber(bytes, static_cast<uint64_t>(record.encoding));
  PutNumber(bytes, static_cast<uint64_t>(record.dictionary));
  PutNumber(bytes, static_cast<uint64_t>(record.message_bytes));
  PutNumber(bytes,
            static_cast<uint64_t>(absl::ToUnixSeconds(record.info.created_at)));
  PutText(bytes, record.info.id);
  PutText(bytes, series.service);
  PutText(bytes, series.type);
  PutNumber(bytes, series.labels.size());
  for (const auto& [key, value] : series.labels) {
    PutText(bytes, key);
    PutText(bytes, value);
  }
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  PutFixed(&bytes[kHeadBytesAt],
           static_cast<uint32_t>(bytes.size() - kFixedBytes));
  PutFixed(&bytes[kPayloadBytesAt],
           static_cast<uint32_t>(record.payload.size()));
  PutFixed(&bytes[kPayloadCrcAt], Crc(record.payload));
  PutFixed(&bytes[kHeadCrcAt],
           Crc(std::string_view(bytes).substr(kHeadBytesAt)));
  bytes += record.payload;
  return bytes;
}

absl::StatusOr<Record> DecodeRecord(std::string_view bytes) {
  Record record;
  std::string_view reason;
  bool is_last = false;
  const int64_t size = SizeAt(bytes, record, reason, is_last);
  if (size == 0) {
    return absl::DataLossError(absl::StrCat("record: ", std::string(reason)));
  }
  if (size != static_cast<int64_t>(bytes.size())) {
    return absl::DataLossError("record: more than one");
  }
  if (!PayloadIsRight(bytes, record)) {
    return absl::DataLossError("record: payload damaged");
  }
  return record;
}

void ScanRecords(
    std::string_view bytes,
    absl::FunctionRef<void(RecordPlace place, const Record& record)> found,
    absl::FunctionRef<void(RecordPlace place, std::string_view reason)>
        damaged) {
  size_t at = 0;
  while (at < bytes.size()) {
    const std::string_view rest = bytes.substr(at);
    Record record;
    std::string_view reason;
    bool is_last = false;
    auto size = static_cast<size_t>(SizeAt(rest, record, reason, is_last));
    const bool is_whole = size > 0 && PayloadIsRight(rest, record);
    if (size == 0) {
      size =
          is_last ? rest.size() : std::min(rest.find(kMagic, 1), rest.size());
    } else if (!is_whole) {
      reason = "payload damaged";
    }
    const RecordPlace place = {static_cast<int64_t>(at),
                               static_cast<int64_t>(size)};
    if (is_whole) {
      found(place, record);
    } else {
      damaged(place, reason);
    }
    at += size;
  }
}

}  // namespace wallprof::store
