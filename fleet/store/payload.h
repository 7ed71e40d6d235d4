// Messages out of gzip.
#ifndef WALLPROF_FLEET_STORE_PAYLOAD_H_
#define WALLPROF_FLEET_STORE_PAYLOAD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wallprof::store {

// `gzipped`, of one member or several, unpacked to exactly `bytes`; else
// DataLoss.
absl::StatusOr<std::string> Gunzip(std::string_view gzipped, int64_t bytes);

// The same of `gzipped` alone, which ends with its message's size: in a third
// of the time that zlib takes. nullopt where it is not one member of at most
// `max_bytes`, and where anything is wrong with it: zlib then says what.
std::optional<std::string> GunzipMember(std::string_view gzipped,
                                        size_t max_bytes);

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_PAYLOAD_H_
