// The samples by address, as AutoFDO's tools read them.
//
//   create_llvm_prof --profiler=text --use_lbr=false --profile=FILE ...
#ifndef WALLPROF_FLEET_PGO_EXPORT_AUTOFDO_TEXT_H_
#define WALLPROF_FLEET_PGO_EXPORT_AUTOFDO_TEXT_H_

#include <string>

#include "fleet/pgo/export/code_counts.h"
#include "profiler/symbolize/elf_image.h"

namespace wallprof::pgo {

// Three tables, each after its length: ranges that ran, addresses, branches
// that were taken. Samples tell the second alone; calls of stacks are no
// branches that were taken so many times. Addresses are hexadecimal and
// begin where the file's beginning is loaded, whether that is fixed or not.
// With lld's layout, that is not the offset in the file.
std::string AutofdoText(const CodeCounts& counts,
                        const symbolize::ElfImage& image);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_AUTOFDO_TEXT_H_
