// What is said of code that is not the binary's.
#ifndef WALLPROF_FLEET_PGO_EXPORT_ORIGIN_H_
#define WALLPROF_FLEET_PGO_EXPORT_ORIGIN_H_

#include <string>
#include <string_view>

#include "profiler/profile/by_id.h"
#include "wallprof/profile.h"

namespace wallprof::pgo {

// The file's name without its folder, and without what the kernel appends to
// that of a mapped file that is gone: a program that was replaced by a newer
// one while it ran.
std::string FileNameOf(std::string_view path);

// Of code in `mapping`, null if there is none.
std::string OriginOf(const Mapping* mapping);

// Of a location without an address: "[truncated]" and the like say what there
// was instead of code.
std::string PseudoOriginOf(const Location& location,
                           const ById<Function>& functions);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_ORIGIN_H_
