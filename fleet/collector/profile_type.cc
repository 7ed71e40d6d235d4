#include "fleet/collector/profile_type.h"

#include <algorithm>
#include <iterator>

namespace wallprof::collector {

bool IsProfileType(std::string_view type) {
  return std::find(std::begin(kProfileTypes), std::end(kProfileTypes), type) !=
         std::end(kProfileTypes);
}

bool IsPprof(std::string_view type) { return type != "trace"; }

}  // namespace wallprof::collector
