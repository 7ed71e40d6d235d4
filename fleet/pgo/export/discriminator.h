// What LLVM writes into discriminators of lines.
//
// Three numbers share one: which of several pieces of code of a line it is (the
// base), how often the optimizer has copied it in place (unrolling,
// vectorizing), and which of other copies it is. Each has a prefix that says
// how long it is: a lone 1 bit for 0, else a 0 bit, five bits, and a bit that
// says whether seven more follow. See "Discriminator" in llvm/IR/
// DebugInfoMetadata.h.
#ifndef WALLPROF_FLEET_PGO_EXPORT_DISCRIMINATOR_H_
#define WALLPROF_FLEET_PGO_EXPORT_DISCRIMINATOR_H_

#include <cstdint>

namespace wallprof::pgo {

// Which piece of its line; profiles have it beside the line.
uint32_t BaseDiscriminator(uint32_t discriminator);

// How many times as often the code ran as this copy of it; 1 or more.
uint32_t DuplicationFactor(uint32_t discriminator);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_DISCRIMINATOR_H_
