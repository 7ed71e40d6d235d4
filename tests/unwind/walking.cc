#include "tests/unwind/walking.h"

#include <stdexcept>

#include "profiler/stacks/measured_profile.h"
#include "profiler/symbolize/symbolizer.h"
#include "profiler/unwind/libunwind.h"
#include "profiler/unwind/module_map.h"

namespace wallprof::unwind {

Walking::Walking()
    : recording_(stacks::Recording::Allocate(stacks::Recording::kMinBytes * 4)
                     .value()) {
  if (const absl::Status loaded = LibUnwind::Load(); !loaded.ok()) {
    throw std::runtime_error(loaded.ToString());
  }
  unwinder_ = std::make_unique<Unwinder>(memory_, *recording_);
  ReadModules();
}

const Walk& Walking::Of(const StackCopy& copy) {
  unwinder_->Unwind(copy, *walk_);
  return *walk_;
}

std::vector<std::string> Walking::NamesOf(
    const std::vector<stacks::Frame>& frames) {
  stacks::Measurement measurement;
  stacks::Measured sample;
  sample.key.stack = recording_->table().Intern(frames);
  measurement.samples.push_back(sample);
  Profile profile = stacks::MeasuredProfile(
      *recording_, measurement, [](int) { return std::string(); },
      [](const stacks::SampleKey&) { return std::vector<Label>(); });
  symbolize::Symbolizer().Symbolize(profile);
  std::vector<std::string> names;
  for (const uint64_t id : profile.samples[0].location_ids) {
    const Location& location = profile.locations[id - 1];
    names.push_back(
        profile.functions[location.lines.at(0).function_id - 1].name);
  }
  return names;
}

std::vector<uint64_t> Walking::Addresses() const {
  std::vector<uint64_t> addresses;
  for (const stacks::Frame frame : walk_->stack()) {
    const stacks::ModuleRecord* module =
        frame.is_pseudo() ? nullptr : recording_->module(frame.module());
    addresses.push_back(
        frame.is_pseudo() ? 0 : frame.offset() + (module ? module->start : 0));
  }
  return addresses;
}

}  // namespace wallprof::unwind
