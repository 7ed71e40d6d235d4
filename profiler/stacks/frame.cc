#include "profiler/stacks/frame.h"

namespace wallprof::stacks {

const char* PseudoFrameName(PseudoFrame pseudo) {
  switch (pseudo) {
    case PseudoFrame::kTruncated:
      return "[truncated]";
    case PseudoFrame::kOverflow:
      return "[overflow]";
    case PseudoFrame::kExited:
      return "[exited]";
    case PseudoFrame::kMasked:
      return "[masked]";
    case PseudoFrame::kSmallStack:
      return "[small stack]";
    case PseudoFrame::kNotSampled:
      return "[not sampled]";
    case PseudoFrame::kUnseen:
      return "[unseen]";
    case PseudoFrame::kHeldBy:
      return "[held by]";
    case PseudoFrame::kLater:
      return "[later]";
    case PseudoFrame::kKernel:
      return "[kernel]";
    case PseudoFrame::kLessHeavy:
      return "[less heavy stacks]";
    case PseudoFrame::kUnknown:
      break;
  }
  return "[unknown]";
}

}  // namespace wallprof::stacks
