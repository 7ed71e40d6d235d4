// Whatever is sent, it is refused with a sentence, or taken in a form that is
// taken again as it is, is read as what was staged, and adds up with whatever
// else was taken, in any order.
//
// An input is messages, each behind its size in two bytes, lowest first.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fleet/pgo/profile/accept.h"
#include "fleet/pgo/profile/combine.h"
#include "fleet/pgo/profile/part.h"
#include "wallprof/formats.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::pgo {
namespace {

const absl::Time kUploaded = absl::FromUnixSeconds(1'700'000'000);

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

AcceptLimits SmallLimits() {
  AcceptLimits limits;
  limits.message_bytes = 1 << 20;
  limits.samples = 1000;
  limits.depth = 100;
  return limits;
}

void CheckRefusal(const absl::Status& status) {
  Require(status.code() == absl::StatusCode::kInvalidArgument ||
              status.code() == absl::StatusCode::kResourceExhausted,
          "a refusal blames what was sent");
  Require(!status.message().empty(), "a refusal says why");
}

// The message to be merged, if the profile is taken.
bool Take(std::string_view sent, std::string& message, int64_t& cpu_ns) {
  const auto accepted = AcceptProfile(sent, "", SmallLimits());
  const auto staged = ReadStaged(sent, kUploaded, SmallLimits());
  Require(accepted.status() == staged.status(),
          "the worker refuses what the server does");
  if (!accepted.ok()) {
    CheckRefusal(accepted.status());
    return false;
  }
  const auto again = AcceptProfile(accepted->bytes, "", SmallLimits());
  Require(again.ok() && again->bytes == accepted->bytes &&
              again->version == accepted->version,
          "what was taken is taken again as it is");
  const auto read = ReadStaged(accepted->bytes, kUploaded, SmallLimits());
  Require(read.ok() && read->message == *UnpackPprof(accepted->bytes, 1 << 24),
          "what was taken is in the staged form");
  Require(read->version == accepted->version, "a version stays");
  Require(read->time > absl::UnixEpoch() && read->time <= kUploaded,
          "a profile was taken before it was sent");
  message = read->message;
  cpu_ns = accepted->cpu_ns;
  Require(cpu_ns > 0, "what was taken has CPU time");
  return true;
}

std::string PartOf(const std::vector<std::string>& messages, size_t begin,
                   size_t end, std::string_view before) {
  PartSum sum;
  if (!before.empty()) Require(sum.AddPart(before).ok(), "a part is read");
  for (size_t i = begin; i < end; ++i) {
    Require(sum.Add(messages[i]).ok(), "what was taken adds up");
  }
  const auto part = std::move(sum).Finish();
  Require(part.ok(), "a sum is written");
  return *part;
}

int64_t CpuTimeIn(std::string_view part) {
  const auto profile = DecodePprof(part);
  Require(profile.ok(), "a part is a profile");
  return std::accumulate(
      profile->samples.begin(), profile->samples.end(), int64_t{0},
      [](int64_t sum, const Sample& sample) { return sum + sample.values[1]; });
}

std::string BaseOf(const std::vector<WeightedPart>& parts) {
  const auto base = CombineParts(parts, "app", {});
  Require(base.ok(), "parts make a base");
  Require(CpuTimeIn(base->bytes) == base->quality.cpu_ns,
          "a base is what is said of it");
  return base->bytes;
}

void CheckBases(std::string_view a, std::string_view b) {
  Require(BaseOf({{b, 1}}) == b, "one part is the base as it is");
  const std::string base = BaseOf({{a, 0.3}, {b, 1}});
  Require(base == BaseOf({{b, 1}, {a, 0.3}}), "the order does not matter");
  const double expected = static_cast<double>(CpuTimeIn(a)) * 0.3 +
                          static_cast<double>(CpuTimeIn(b));
  const double found = static_cast<double>(CpuTimeIn(base));
  Require(std::abs(found - expected) <= 1 + expected * 1e-9,
          "weights count in the sum");
}

void Check(std::string_view input) {
  std::vector<std::string> messages;
  int64_t all_cpu_ns = 0;
  while (input.size() > 2) {
    const size_t size =
        static_cast<uint8_t>(input[0]) | static_cast<uint8_t>(input[1]) << 8;
    const std::string_view sent = input.substr(2, size);
    input.remove_prefix(2 + sent.size());
    std::string message;
    int64_t cpu_ns = 0;
    if (!Take(sent, message, cpu_ns)) continue;
    messages.push_back(std::move(message));
    all_cpu_ns += cpu_ns;
  }
  if (messages.empty()) return;
  const std::string part = PartOf(messages, 0, messages.size(), "");
  Require(CpuTimeIn(part) == all_cpu_ns, "nothing is lost or invented");
  const std::string first = PartOf(messages, 0, 1, "");
  Require(PartOf(messages, 1, messages.size(), first) == part,
          "a sum goes on where it was written");
  const std::vector<std::string> reversed(messages.rbegin(), messages.rend());
  Require(PartOf(reversed, 0, reversed.size(), "") == part,
          "the order does not matter");
  CheckBases(first, part);
}

}  // namespace
}  // namespace wallprof::pgo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wallprof::pgo::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
