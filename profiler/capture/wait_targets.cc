#include "profiler/capture/wait_targets.h"

#include <array>

namespace wallprof::capture {
namespace {

using stacks::Frame;
using threads::WaitWords;

constexpr size_t kWords = 5;

std::array<Frame, kWords> Written(const WaitWords& words) {
  return {Frame::FromBits(static_cast<uint64_t>(words.kind)),
          Frame::FromBits(static_cast<uint64_t>(words.number)),
          Frame::FromBits(words.arguments[0]),
          Frame::FromBits(words.arguments[1]),
          Frame::FromBits(words.arguments[2])};
}

}  // namespace

WaitTargets::WaitTargets(stacks::Recording& recording)
    : table_(recording.table()) {}

stacks::StackId WaitTargets::Of(const WaitWords& words) {
  const auto known = numbers_.find(words);
  if (known != numbers_.end()) return known->second;
  const bool room = numbers_.size() < kMax && table_.Fullness() < kFullEnough;
  const stacks::StackId target =
      table_.Intern(Written(room ? words : WaitWords::TooMany()));
  // Without room for even that it is as if nobody had asked.
  if (room && target != stacks::kNoStack) numbers_.emplace(words, target);
  return target;
}

WaitWords WordsAt(const stacks::StackTable& table, stacks::StackId target) {
  const absl::Span<const Frame> written = table.Frames(target);
  WaitWords words;
  words.kind = static_cast<WaitWords::Kind>(written[0].bits());
  words.number = static_cast<int64_t>(written[1].bits());
  words.arguments = {written[2].bits(), written[3].bits(), written[4].bits()};
  return words;
}

}  // namespace wallprof::capture
