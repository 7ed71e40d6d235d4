#include "tests/unwind/chain.h"

#include <stdexcept>

#define WALLPROF_VARIANT(name)                                       \
  namespace name {                                                   \
  void Outer(wallprof::unwind::Call, wallprof::unwind::ChainState&); \
  }
WALLPROF_VARIANT(o0)
WALLPROF_VARIANT(o2)
WALLPROF_VARIANT(o2_frame_pointer)
WALLPROF_VARIANT(o2_alloca)
WALLPROF_VARIANT(o2_alloca_frame_pointer)
WALLPROF_VARIANT(o2_tail_call)
WALLPROF_VARIANT(o2_alloca_tail_call)

namespace wallprof::unwind {

const std::vector<ChainVariant>& ChainVariants() {
  static const auto* const variants = new std::vector<ChainVariant>{
      {"o0", o0::Outer},
      {"o2", o2::Outer},
      {"o2_frame_pointer", o2_frame_pointer::Outer},
      {"o2_alloca", o2_alloca::Outer},
      {"o2_alloca_frame_pointer", o2_alloca_frame_pointer::Outer},
      {"o2_tail_call", o2_tail_call::Outer},
      {"o2_alloca_tail_call", o2_alloca_tail_call::Outer},
  };
  return *variants;
}

Chain ChainNamed(const std::string& name) {
  for (const ChainVariant& variant : ChainVariants()) {
    if (variant.name == name) return variant.outer;
  }
  throw std::invalid_argument(name);
}

}  // namespace wallprof::unwind
