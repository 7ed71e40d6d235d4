// Counts by function and place in it, as clang reads them.
#ifndef WALLPROF_FLEET_PGO_EXPORT_FUNCTION_COUNTS_H_
#define WALLPROF_FLEET_PGO_EXPORT_FUNCTION_COUNTS_H_

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace wallprof::pgo {

// A place in a function. Both as in LLVM's sample profiles.
struct BodyPlace {
  uint32_t offset = 0;  // lines from where the function is declared, 16 bits
  uint32_t discriminator = 0;  // base discriminator

  friend auto operator<=>(const BodyPlace&, const BodyPlace&) = default;
};

struct BodyCount {
  // Of the address in it that was met most: code runs as often as the busiest
  // of its instructions tells. 0: it is known to be cold.
  int64_t count = 0;
  std::map<std::string, int64_t> targets;  // called from here, by samples
};

// A function, or an inlined copy of one.
struct FunctionCounts {
  // Of all samples in it and in what is inlined. Where the optimizer has copied
  // code in place, samples count as in the body: as often as the code ran.
  int64_t total = 0;
  int64_t head = 0;  // times that it was entered, in the unit of the body
  std::map<BodyPlace, BodyCount> body;
  // Inlined copies, by where they were called and by name.
  std::map<std::pair<BodyPlace, std::string>, FunctionCounts> inlined;
};

using FunctionTable = std::map<std::string, FunctionCounts>;

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_FUNCTION_COUNTS_H_
