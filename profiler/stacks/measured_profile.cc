#include "profiler/stacks/measured_profile.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "profiler/stacks/frame_locations.h"

namespace wallprof::stacks {
namespace {

class Builder {
 public:
  Builder(const Recording& recording, const Measurement& measurement,
          const SyscallNames& syscall_name, const OtherLabels& labels_of)
      : recording_(recording),
        syscall_name_(syscall_name),
        labels_of_(labels_of),
        cpu_only_(measurement.cpu_only) {
    for (uint32_t id = 1; id < recording.module_count(); ++id) {
      AddMapping(id, *recording.module(static_cast<ModuleId>(id)));
    }
  }

  // The frames of a wait's holder are further from the root than the waiter's.
  void AddLockWait(const Measured& measured) {
    Sample sample;
    const Frame held_by = Frame::Pseudo(PseudoFrame::kHeldBy);
    locations_.Append(Frames(measured.key.holder), sample);
    locations_.Append({&held_by, 1}, sample);
    locations_.Append(Frames(measured.key.stack), sample);
    sample.values = {measured.counts.samples, measured.counts.wall_ns};
    SampleKey waiter = measured.key;
    waiter.state = ThreadState::kBlocked;
    AddLabels(waiter, sample);
    sample.labels.push_back({"holder", ThreadStateName(measured.key.state)});
    profile_.samples.push_back(std::move(sample));
  }

  void Add(const Measured& measured) {
    Sample sample;
    locations_.Append(Frames(measured.key.stack), sample);
    sample.values = {measured.counts.samples, measured.counts.cpu_ns};
    if (!cpu_only_) sample.values.push_back(measured.counts.wall_ns);
    AddLabels(measured.key, sample);
    profile_.samples.push_back(std::move(sample));
  }

  Profile Finish(std::vector<ValueType> types, const Measurement& measurement) {
    profile_.sample_types = std::move(types);
    profile_.default_sample_type = profile_.sample_types.back().type;
    profile_.period_type = profile_.sample_types.back();
    profile_.time =
        absl::FromUnixNanos(recording_.start_wall_ns() + measurement.start_ns -
                            recording_.start_ns());
    const int64_t duration = measurement.end_ns - measurement.start_ns;
    profile_.duration = absl::Nanoseconds(duration);
    profile_.period = duration / std::max<int64_t>(measurement.ticks, 1);
    return std::move(profile_);
  }

 private:
  absl::Span<const Frame> Frames(StackId stack) const {
    return recording_.table().Frames(stack);
  }

  void AddMapping(uint64_t id, const ModuleRecord& module) {
    Mapping mapping;
    mapping.id = id;
    mapping.start = module.start;
    mapping.limit = module.limit;
    mapping.file_offset = module.file_offset;
    mapping.filename = std::string(module.path_view());
    mapping.build_id = module.BuildIdHex();
    locations_.AddModule(std::move(mapping));
  }

  void AddLabels(const SampleKey& key, Sample& sample) {
    if (key.thread < recording_.thread_count()) {
      const ThreadRecord& thread = recording_.thread(key.thread);
      sample.labels.push_back({"thread", thread.Name()});
      sample.labels.push_back(
          {"tid", "", thread.tid.load(std::memory_order_relaxed)});
    }
    sample.labels.push_back({"state", ThreadStateName(key.state)});
    if (std::string wait = WaitName(key.wait, syscall_name_); !wait.empty()) {
      sample.labels.push_back({"wait", std::move(wait)});
    }
    for (Label& label : labels_of_(key)) {
      sample.labels.push_back(std::move(label));
    }
  }

  const Recording& recording_;
  const SyscallNames& syscall_name_;
  const OtherLabels& labels_of_;
  const bool cpu_only_;
  Profile profile_;
  FrameLocations locations_{profile_};
};

std::string CpuOnlyComment(const Measurement& measurement) {
  Counts sum;
  for (const Measured& measured : measurement.samples) sum += measured.counts;
  const double seconds = static_cast<double>(sum.cpu_ns) / 1e9;
  return absl::StrFormat(
      "wallprof: CPU time only, %d samples in %.3f s of it, %.2f a second",
      sum.samples, seconds,
      seconds > 0 ? static_cast<double>(sum.samples) / seconds : 0);
}

// CPU time of what was sampled, a sample.
int64_t CpuPeriodNs(const Measurement& measurement) {
  Counts sum;
  for (const Measured& measured : measurement.samples) {
    if (measured.counts.samples != 0) sum += measured.counts;
  }
  return sum.cpu_ns / std::max<int64_t>(sum.samples, 1);
}

}  // namespace

const char* ThreadStateName(ThreadState state) {
  switch (state) {
    case ThreadState::kRunning:
      return "running";
    case ThreadState::kRunnable:
      return "runnable";
    case ThreadState::kBlocked:
      return "blocked";
    case ThreadState::kDisk:
      return "disk";
  }
  return "unknown";
}

std::string WaitName(uint16_t wait, const SyscallNames& syscall_name) {
  if (wait == kNoWait) return "";
  if (wait == kWaitPageFault) return "page-fault";
  return syscall_name(wait);
}

std::vector<std::string> LossComments(const Measurement& measurement) {
  const Losses& losses = measurement.losses;
  const double seconds =
      static_cast<double>(measurement.end_ns - measurement.start_ns) / 1e9;
  const double ticks = static_cast<double>(measurement.ticks);
  std::vector<std::string> comments = {
      measurement.cpu_only
          ? CpuOnlyComment(measurement)
          : absl::StrFormat(
                "wallprof: %d ticks, %.2f Hz, %.3f ms late on average",
                measurement.ticks, seconds > 0 ? ticks / seconds : 0,
                ticks > 0 ? static_cast<double>(losses.late_ns) / 1e6 / ticks
                          : 0)};
  const std::pair<const char*, int64_t> reasons[] = {
      {"truncated", losses.truncated}, {"overflow", losses.overflow},
      {"masked", losses.masked},       {"small_stack", losses.small_stack},
      {"exited", losses.exited},       {"late", losses.late},
      {"unseen", losses.unseen},       {"dropped", losses.dropped},
  };
  for (const auto& [reason, count] : reasons) {
    if (count == 0) continue;
    comments.push_back(absl::StrFormat("wallprof: lost %s %d", reason, count));
  }
  return comments;
}

Profile MeasuredProfile(const Recording& recording,
                        const Measurement& measurement,
                        const SyscallNames& syscall_name,
                        const OtherLabels& labels_of) {
  Builder builder(recording, measurement, syscall_name, labels_of);
  if (measurement.cpu_only) {
    for (const Measured& measured : measurement.samples) {
      if (measured.counts.cpu_ns != 0) builder.Add(measured);
    }
    Profile profile = builder.Finish(
        {{"samples", "count"}, {"cpu", "nanoseconds"}}, measurement);
    profile.period = CpuPeriodNs(measurement);
    return profile;
  }
  for (const Measured& measured : measurement.samples) builder.Add(measured);
  return builder.Finish(
      {{"samples", "count"}, {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}},
      measurement);
}

Profile LockWaitProfile(const Recording& recording,
                        const Measurement& measurement,
                        const SyscallNames& syscall_name,
                        const OtherLabels& labels_of) {
  Builder builder(recording, measurement, syscall_name, labels_of);
  for (const Measured& wait : measurement.lock_waits) {
    builder.AddLockWait(wait);
  }
  return builder.Finish({{"samples", "count"}, {"lockwait", "nanoseconds"}},
                        measurement);
}

}  // namespace wallprof::stacks
