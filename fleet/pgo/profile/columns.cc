#include "fleet/pgo/profile/columns.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fleet/pgo/profile/carry.h"
#include "profiler/profile/sample_types.h"

namespace wallprof::pgo {
namespace {

// Go's, and that of most who sample CPU time a hundred times a second.
constexpr int64_t kUsualPeriod = 10'000'000;

constexpr int kNone = -1;

int Find(const Profile& profile, const ValueType& type) {
  const auto& types = profile.sample_types;
  const auto found = std::find(types.begin(), types.end(), type);
  return found == types.end() ? kNone : static_cast<int>(found - types.begin());
}

bool IsTime(const ValueType& type) {
  return type.unit == kNanoseconds || type.unit == "microseconds" ||
         type.unit == "milliseconds" || type.unit == "seconds";
}

bool IsWallTime(const ValueType& type) {
  return IsTime(type) && type.type != kCpu;
}

std::string NamesOf(const Profile& profile) {
  return absl::StrJoin(profile.sample_types, ", ",
                       [](std::string* out, const ValueType& type) {
                         absl::StrAppend(out, ToString(type));
                       });
}

bool HasWallTime(const Profile& profile) {
  return IsWallTime(profile.period_type) ||
         std::any_of(profile.sample_types.begin(), profile.sample_types.end(),
                     IsWallTime);
}

absl::Status CheckKind(const Profile& profile, int samples, int cpu) {
  if (cpu != kNone) return absl::OkStatus();
  if (samples == kNone) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the profile is no CPU profile: it has ",
        profile.sample_types.empty() ? "no sample types" : NamesOf(profile),
        ", but neither samples/count nor cpu/nanoseconds"));
  }
  if (HasWallTime(profile)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the profile is of wall-clock time (", NamesOf(profile),
        ") without cpu/nanoseconds: time in which threads wait would make cold "
        "code look hot"));
  }
  if (profile.sample_types.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("the profile is no CPU profile: it has ", NamesOf(profile),
                     ", but not cpu/nanoseconds"));
  }
  return absl::OkStatus();
}

// Of one sample, in nanoseconds.
int64_t PeriodOf(const Profile& profile) {
  const bool is_known =
      profile.period > 0 && profile.period_type.unit == kNanoseconds &&
      (profile.period_type.type == kCpu || IsWallTime(profile.period_type));
  return is_known ? profile.period : kUsualPeriod;
}

absl::Status CheckValues(const Profile& profile) {
  for (const Sample& sample : profile.samples) {
    for (int64_t value : sample.values) {
      if (value < 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("the profile has a negative value, ", value,
                         ": it is a difference, or damaged"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTotals(const Profile& profile, int64_t most) {
  int64_t totals[kColumns] = {};
  for (const Sample& sample : profile.samples) {
    for (int i = 0; i < kColumns; ++i) {
      if (sample.values[i] > most - totals[i]) {
        return absl::InvalidArgumentError(absl::StrCat(
            "the profile's total of ", ToString(profile.sample_types[i]),
            " is above ", most, ", which is more than can be added up"));
      }
      totals[i] += sample.values[i];
    }
  }
  return absl::OkStatus();
}

// Samples times the period, at most as much as there can be.
int64_t TimeOf(int64_t samples, int64_t period) {
  int64_t time;
  if (!__builtin_mul_overflow(samples, period, &time)) return time;
  return std::numeric_limits<int64_t>::max();
}

}  // namespace

absl::Status KeepCpuColumns(Profile& profile, int64_t most_total) {
  const int samples = Find(profile, {kSamples, kCount});
  const int cpu = Find(profile, {kCpu, kNanoseconds});
  if (absl::Status s = CheckKind(profile, samples, cpu); !s.ok()) return s;
  if (profile.samples.empty()) {
    return absl::InvalidArgumentError("the profile has no samples");
  }
  if (absl::Status s = CheckValues(profile); !s.ok()) return s;
  const int64_t period = PeriodOf(profile);
  const bool counts_cpu_time = samples != kNone && !HasWallTime(profile);
  std::vector<Sample> kept;
  Carry counts(static_cast<Carry::Wide>(period));
  for (Sample& sample : profile.samples) {
    const int64_t time = cpu != kNone ? sample.values[cpu]
                                      : TimeOf(sample.values[samples], period);
    if (time == 0) continue;
    const int64_t count = counts_cpu_time
                              ? sample.values[samples]
                              : counts.Next(static_cast<Carry::Wide>(time));
    sample.values = {count, time};
    kept.push_back(std::move(sample));
  }
  if (kept.empty()) {
    return absl::InvalidArgumentError(
        "the profile has no sample with CPU time");
  }
  profile.samples = std::move(kept);
  profile.sample_types = {{kSamples, kCount}, {kCpu, kNanoseconds}};
  profile.default_sample_type = kCpu;
  profile.period_type = {kCpu, kNanoseconds};
  profile.period = period;
  return CheckTotals(profile, most_total);
}

}  // namespace wallprof::pgo
