#include "tests/record/simulated_program.h"

#include <string_view>

namespace wallprof::record {

using stacks::Counts;
using stacks::Frame;

SimulatedProgram::SimulatedProgram() {
  for (const std::string_view path : {"/bin/demo", "/lib/libdemo.so"}) {
    stacks::ModuleRecord module;
    module.start = 0x400000;
    module.limit = 0x500000;
    module.build_id_size = 2;
    module.build_id[0] = 0xca;
    module.path_size =
        static_cast<uint16_t>(path.copy(module.path, path.size()));
    recording_->AddModule(module);
  }
}

stacks::StackId SimulatedProgram::Stack(uint32_t number) {
  std::vector<Frame> frames = {Frame::Code(2, 64 * uint64_t{number})};
  for (uint64_t caller = number % 10; frames.size() < 8; ++caller) {
    frames.push_back(Frame::Code(1, 0x1000 + 16 * caller));
  }
  return recording_->table().Intern(frames);
}

void SimulatedProgram::Add(uint32_t stack, uint32_t thread,
                           const Counts& counts, uint32_t labels) {
  while (recording_->thread_count() <= thread) {
    const uint32_t index = recording_->thread_count();
    recording_->AddThread(static_cast<int32_t>(100 + index),
                          "worker" + std::to_string(index));
  }
  stacks::Measured sample;
  sample.key.stack = Stack(stack);
  sample.key.thread = thread;
  sample.key.labels = labels;
  sample.key.state = stacks::ThreadState::kBlocked;
  sample.key.wait = 0;  // read
  sample.counts = counts;
  samples_.push_back(sample);
}

void SimulatedProgram::AddWait(uint32_t stack, uint32_t holder, uint32_t thread,
                               const Counts& counts) {
  Add(stack, thread, counts);
  stacks::Measured wait = samples_.back();
  wait.key.holder = Stack(holder);
  wait.key.state = stacks::ThreadState::kRunning;  // the holder's
  waits_.push_back(wait);
}

stacks::Measurement SimulatedProgram::EndSlice(Recorder& recorder,
                                               int64_t duration_ns) {
  stacks::Measurement measurement;
  measurement.start_ns = now.monotonic_ns;
  now.monotonic_ns += duration_ns;
  now.boottime_ns += duration_ns;
  now.wall_ns += duration_ns;
  measurement.end_ns = now.monotonic_ns;
  measurement.ticks = duration_ns / 10'000'000;
  measurement.losses = losses;
  losses = {};
  measurement.samples.swap(samples_);
  measurement.lock_waits.swap(waits_);
  recorder.Add(*recording_, measurement);
  return measurement;
}

Counts TotalOf(const stacks::Measurement& measurement) {
  Counts total;
  for (const stacks::Measured& sample : measurement.samples) {
    total += sample.counts;
  }
  return total;
}

Counts TotalOf(const Profile& profile) {
  Counts total;
  for (const Sample& sample : profile.samples) {
    total += {sample.values[0], sample.values[1], sample.values[2]};
  }
  return total;
}

}  // namespace wallprof::record
