// Whatever the bytes, reading a segment ends, and says of each of them whether
// it is of a record; a record can be written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fleet/store/record.h"

namespace wallprof::store {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

void CheckRecord(std::string_view bytes, const Record& record) {
  const auto decoded = DecodeRecord(bytes);
  Require(decoded.ok(), "what a scan finds is a record");
  const std::string again_bytes = EncodeRecord(record);
  const auto again = DecodeRecord(again_bytes);
  Require(again.ok() && again->info.id == record.info.id &&
              again->info.series == record.info.series &&
              again->info.created_at == record.info.created_at &&
              again->encoding == record.encoding &&
              again->dictionary == record.dictionary &&
              again->message_bytes == record.message_bytes &&
              again->payload == record.payload,
          "a record survives being written");
}

void CheckSegment(std::string_view bytes) {
  int64_t expected = 0;
  const auto follows = [&expected](RecordPlace place) {
    Require(place.offset == expected && place.bytes > 0, "nothing is left out");
    expected += place.bytes;
  };
  ScanRecords(
      bytes,
      [&](RecordPlace place, const Record& record) {
        follows(place);
        CheckRecord(bytes.substr(static_cast<size_t>(place.offset),
                                 static_cast<size_t>(place.bytes)),
                    record);
      },
      [&](RecordPlace place, std::string_view reason) {
        follows(place);
        Require(!reason.empty(), "what is wrong is said");
      });
  Require(expected == static_cast<int64_t>(bytes.size()), "all is looked at");
}

}  // namespace
}  // namespace wallprof::store

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using wallprof::store::Record;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  wallprof::store::CheckSegment(bytes);
  // Most changes spoil the checksums: what they are of is changed, too.
  Record record;
  record.info.id = bytes.substr(0, size / 3);
  record.info.series.service = bytes.substr(size / 3, size / 3);
  record.payload = bytes;
  std::string segment = wallprof::store::EncodeRecord(record);
  segment += bytes;
  segment += wallprof::store::EncodeRecord(record);
  wallprof::store::CheckSegment(segment);
  return 0;
}
