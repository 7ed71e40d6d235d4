// Whatever the bytes, reading a spooled file ends with a parcel or with what is
// wrong; a parcel can be written and read again. For libFuzzer and, over the
// corpus alone, for the room's tests.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fleet/agent/parcel.h"
#include "tests/fleet/agent/fuzzing.h"

namespace wallprof::agent {
namespace {

void CheckFile(std::string_view bytes) {
  const auto parcel = DecodeParcel(bytes);
  if (!parcel.ok()) {
    Require(!parcel.status().message().empty(), "what is wrong is said");
    return;
  }
  Require(
      !parcel->id.empty() && !parcel->service.empty() && !parcel->type.empty(),
      "a parcel can be sent");
  const auto again = DecodeParcel(EncodeParcel(*parcel));
  Require(again.ok() && again->id == parcel->id &&
              again->service == parcel->service &&
              again->type == parcel->type && again->labels == parcel->labels &&
              again->created_at == parcel->created_at &&
              again->body == parcel->body,
          "a parcel survives being written");
}

}  // namespace

void CheckParcelBytes(std::string_view bytes) {
  CheckFile(bytes);
  // Most changes spoil the checksum; so as what it is of, too.
  const size_t line = bytes.find('\n');
  if (line == std::string_view::npos) return;
  CheckFile(FrameParcel(bytes.substr(0, line), bytes.substr(line + 1)));
}

}  // namespace wallprof::agent

#ifndef WALLPROF_NO_FUZZER_ENTRY
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wallprof::agent::CheckParcelBytes(
      {reinterpret_cast<const char*>(data), size});
  return 0;
}
#endif
