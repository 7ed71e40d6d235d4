#include "profiler/option_limits.h"

#include <csignal>
#include <string>

#include "absl/strings/str_cat.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

constexpr int kMinFrequencyHz = 1;
// Beyond this the sampler itself would be the load.
constexpr int kMaxFrequencyHz = 1000;

// Less than this holds too few stacks to be of use.
constexpr size_t kMinMemoryBytes = size_t{8} << 20;
constexpr size_t kMinRecordMemoryBytes = size_t{1} << 20;

// A file of the spool is an eighth of it, and begins with all names.
constexpr int64_t kMinRecordDirBytes = int64_t{1} << 20;

// Of signals whose default is to be ignored or to go on, none can end a
// program that was replaced by exec while one was under way.
bool DefaultsToIgnore(int signal) {
  return signal == SIGURG || signal == SIGCHLD || signal == SIGWINCH ||
         signal == SIGCONT;
}

}  // namespace

absl::Status CheckFrequency(int frequency_hz) {
  if (frequency_hz < kMinFrequencyHz || frequency_hz > kMaxFrequencyHz) {
    return absl::InvalidArgumentError(
        absl::StrCat("frequency_hz must be from ", kMinFrequencyHz, " to ",
                     kMaxFrequencyHz, ", not ", frequency_hz));
  }
  return absl::OkStatus();
}

absl::Status CheckCpuView(std::optional<View> asked) {
  if (asked.value_or(View::kCpu) == View::kCpu) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "Only CPU time is measured here (cpu_only): there is the view cpu, and "
      "not ",
      std::string(NameOfView(*asked)), "."));
}

absl::Status FixedFrequencyError(int frequency_hz) {
  return absl::InvalidArgumentError(absl::StrCat(
      "Where only CPU time is measured (cpu_only) the rate is that of the "
      "start, ",
      frequency_hz, "; a measurement cannot have a higher one."));
}

absl::Status Options::Validate() const {
  if (absl::Status status = CheckFrequency(frequency_hz); !status.ok()) {
    return status;
  }
  if (!DefaultsToIgnore(signal)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "signal must be one that is ignored by default (SIGURG, SIGCHLD, "
        "SIGWINCH or SIGCONT), not ",
        signal));
  }
  if (memory_bytes < kMinMemoryBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("memory_bytes must be at least ", kMinMemoryBytes,
                     ", not ", memory_bytes));
  }
  if (record_memory_bytes < kMinRecordMemoryBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("record_memory_bytes must be at least ",
                     kMinRecordMemoryBytes, ", not ", record_memory_bytes));
  }
  if (record_dir_bytes < kMinRecordDirBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("record_dir_bytes must be at least ", kMinRecordDirBytes,
                     ", not ", record_dir_bytes));
  }
  if (cpu_only && (record || !record_dir.empty())) {
    return absl::InvalidArgumentError(
        "record does not go with cpu_only: what is recorded is wall time");
  }
  if (!record && !record_dir.empty()) {
    return absl::InvalidArgumentError("record_dir needs record");
  }
  return absl::OkStatus();
}

}  // namespace wallprof
