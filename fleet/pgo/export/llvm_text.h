// Counts by function as clang's -fprofile-sample-use reads them: LLVM's text
// form of a sample profile.
//
//   name:TOTAL:HEAD
//    OFFSET[.DISCRIMINATOR]: COUNT [callee:COUNT ...]
//    OFFSET[.DISCRIMINATOR]: inlined:TOTAL
//     OFFSET[.DISCRIMINATOR]: COUNT
#ifndef WALLPROF_FLEET_PGO_EXPORT_LLVM_TEXT_H_
#define WALLPROF_FLEET_PGO_EXPORT_LLVM_TEXT_H_

#include <string>
#include <string_view>

#include "fleet/pgo/export/function_counts.h"

namespace wallprof::pgo {

// Whether the form can have the name: it is not empty, has no blanks, control
// characters or colons, and does not begin with what lines begin with.
bool IsLlvmName(std::string_view name);

// Functions with most samples first. All names are such.
std::string LlvmText(const FunctionTable& table);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_LLVM_TEXT_H_
