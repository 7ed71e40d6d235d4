#include "fleet/pgo/profile/weighted_sum.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/profile/carry.h"
#include "fleet/pgo/profile/columns.h"
#include "fleet/pgo/profile/part.h"
#include "profiler/encode/merge/add_to_sum.h"
#include "profiler/encode/merge/read_tables.h"
#include "profiler/encode/merge/sample_order.h"
#include "profiler/encode/merge/write_sum.h"

namespace wallprof::pgo {
namespace {

constexpr int kWeightBits = 32;

// A product has 63 + 32 bits, of which the lower half has so many. A half may
// then be added up from 2^15 parts: far more than there are in a decade.
constexpr int kHalfBits = 48;
constexpr size_t kMostParts = size_t{1} << 15;
constexpr size_t kLow = 0, kHigh = 1, kHalves = 2;

uint64_t WholeWeight(double weight) {
  const double scaled = std::round(std::ldexp(weight, kWeightBits));
  return static_cast<uint64_t>(std::max(scaled, 1.0));
}

Carry::Wide Joined(const int64_t* halves) {
  return (static_cast<Carry::Wide>(halves[kHigh]) << kHalfBits) +
         static_cast<Carry::Wide>(halves[kLow]);
}

absl::Status CheckColumns(const PprofTables& tables) {
  if (tables.columns.size() != kColumns) {
    return absl::InvalidArgumentError(
        absl::StrCat("a part has ", tables.columns.size(),
                     " sample types instead of ", int{kColumns}));
  }
  for (const PprofTables::Column& column : tables.columns) {
    if (column.has_negative) {
      return absl::InvalidArgumentError("a part has a negative value");
    }
  }
  return absl::OkStatus();
}

}  // namespace

WeightedSum::WeightedSum() = default;

absl::Status WeightedSum::Add(std::string_view message, double weight) {
  absl::Status s =
      ReadTables(message, kMostDecodedPartBytes, SamplesKept::kAll, read_);
  if (!s.ok()) return s;
  read_.comments.clear();
  const SumHeader header = HeaderOf(read_);
  s = CheckColumns(read_);
  if (s.ok()) s = CheckCompatible(header_, header);
  if (!s.ok()) return s;
  if (header_.profiles == kMostParts) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a base has more than ", kMostParts, " parts"));
  }
  SplitValues(WholeWeight(weight));
  if (!AddToSum(read_, kMostSumBytes, sum_)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the base would take more than ", kMostSumBytes, " bytes of memory"));
  }
  AddHeader(header_, header, Decides::kContent);
  return absl::OkStatus();
}

// Makes of each value the two halves of its product, as if they were columns.
void WeightedSum::SplitValues(uint64_t weight) {
  FlatArray<int64_t> halves;
  int64_t* next = halves.Extend(read_.values.size() * kHalves);
  for (int64_t value : read_.values) {
    const Carry::Wide product = static_cast<Carry::Wide>(value) * weight;
    next[kLow] =
        static_cast<int64_t>(product & ((uint64_t{1} << kHalfBits) - 1));
    next[kHigh] = static_cast<int64_t>(product >> kHalfBits);
    next += kHalves;
  }
  read_.values = std::move(halves);
  read_.types.Assign(kColumns * kHalves, {});
}

absl::StatusOr<std::string> WeightedSum::Finish() && {
  if (header_.profiles == 0) {
    return absl::InvalidArgumentError("no parts to combine");
  }
  const Carry::Wide one = Carry::Wide{1} << kWeightBits;
  std::vector<Carry> carries(kColumns, Carry(one));
  const std::vector<uint32_t> order = SampleOrder(sum_);
  FlatArray<int64_t> values;
  values.Assign(order.size() * kColumns, 0);
  for (uint32_t sample : order) {
    const int64_t* halves =
        sum_.values.data() + size_t{sample} * kColumns * kHalves;
    for (int i = 0; i < kColumns; ++i) {
      values[size_t{sample} * kColumns + i] =
          carries[i].Next(Joined(halves + i * kHalves));
    }
  }
  sum_.values = std::move(values);
  return WriteSum(header_, sum_, order);
}

}  // namespace wallprof::pgo
