// Places of a binary's code by function and line, for profiles that tell no
// more of them.
#ifndef WALLPROF_FLEET_PGO_EXPORT_KNOWN_PLACES_H_
#define WALLPROF_FLEET_PGO_EXPORT_KNOWN_PLACES_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "profiler/symbolize/code_places.h"
#include "profiler/symbolize/debug_locator.h"
#include "profiler/symbolize/elf_image.h"
#include "profiler/symbolize/function_symbols.h"

namespace wallprof::pgo {

// `function` without the number that clang appends to names of local functions
// (-funique-internal-linkage-names): it is made of the source file's path,
// which is another one in another checkout.
std::string WithoutPathNumber(const std::string& function);

class KnownPlaces {
 public:
  // Those of `functions` in `image`, the file at `path`. None where there is no
  // debug information; other errors name the path.
  static absl::StatusOr<KnownPlaces> Find(
      const symbolize::ElfImage& image, const std::string& path,
      const symbolize::DebugPlaces& debug_places,
      const std::vector<symbolize::FunctionSymbol>& functions);

  // Gives `places` the names, and the base discriminators, of code with the
  // same functions but for their numbers, as many lines from their beginnings:
  // of calls the lowest where several are there, and as `pieces` all that the
  // innermost line has. False, and nothing changes, where there is none.
  bool Complete(symbolize::CodePlaces& places,
                std::set<uint32_t>& pieces) const;

 private:
  struct Known {
    std::vector<std::string> functions;
    std::vector<uint32_t> chain;  // of discriminators
    std::set<uint32_t> pieces;
  };
  std::map<std::string, Known> known_;  // by what is the same
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_KNOWN_PLACES_H_
