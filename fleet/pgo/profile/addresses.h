// Addresses that mean the same in every process.
#ifndef WALLPROF_FLEET_PGO_PROFILE_ADDRESSES_H_
#define WALLPROF_FLEET_PGO_PROFILE_ADDRESSES_H_

#include <cstdint>

#include "wallprof/profile.h"

namespace wallprof::pgo {

// Executables at fixed addresses lie below; what is loaded wherever there is
// room lies far above.
inline constexpr uint64_t kFixedAddresses = uint64_t{4} << 30;

// What is added to addresses of what is mapped at [start, limit), so that they
// are those in the file: 0 for executables at fixed addresses, and for what is
// no range of addresses.
inline uint64_t ShiftToFile(uint64_t start, uint64_t limit,
                            uint64_t file_offset) {
  if (limit <= kFixedAddresses || limit < start) return 0;
  return file_offset - start;
}

// Has all mappings begin at their offset in the file. Locations that lie
// outside of their mapping stay: nobody knows what they mean.
void MoveToFileAddresses(Profile& profile);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_PROFILE_ADDRESSES_H_
