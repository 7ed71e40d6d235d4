// A record of a segment: one profile with all that is known of it, so that an
// index can be made again from segments alone.
//
//   bytes  what, numbers little-endian
//   8      kMagic, of which the last is the version
//   4      CRC-32 of all that follows up to the payload
//   4      bytes of the head
//   4      bytes of the payload
//   4      CRC-32 of the payload
//   ...    the head: numbers as varints (those of protocol buffers), text with
//          its length before it: encoding, dictionary, bytes of the message,
//          seconds of the time, id, service, type, number of labels, each key
//          and value
//   ...    the payload
#ifndef WALLPROF_FLEET_STORE_RECORD_H_
#define WALLPROF_FLEET_STORE_RECORD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "fleet/store/profile_info.h"

namespace wallprof::store {

// How a payload is made of a message. The numbers are in files.
enum class Encoding : uint8_t {
  kRaw = 0,
  kGzip = 1,     // as it was received
  kZstd = 2,     // with a dictionary, or without
  kColumns = 3,  // columns.h, in Zstandard
};

struct Record {
  ProfileInfo info;
  Encoding encoding = Encoding::kRaw;
  int64_t dictionary = 0;  // Dictionary::id; 0: none
  int64_t message_bytes = 0;
  std::string_view payload;
};

// Beyond it no payload is written, nor believed when read.
inline constexpr int64_t kMaxPayloadBytes = int64_t{1} << 30;

// `record.payload` is at most kMaxPayloadBytes.
std::string EncodeRecord(const Record& record);

// The record that `bytes` are; its payload is a view of them. DataLoss, which
// says what is wrong, if they are none or more than one.
absl::StatusOr<Record> DecodeRecord(std::string_view bytes);

// Gives all records in `bytes` with the offset and size of each; between them,
// stretches that are none, and why not. After those it goes on where the next
// record begins.
struct RecordPlace {
  int64_t offset = 0;
  int64_t bytes = 0;
};
void ScanRecords(
    std::string_view bytes,
    absl::FunctionRef<void(RecordPlace place, const Record& record)> found,
    absl::FunctionRef<void(RecordPlace place, std::string_view reason)>
        damaged);

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_RECORD_H_
