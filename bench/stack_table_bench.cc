// The stack table: a known stack in, a snapshot out.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "profiler/stacks/measured_profile.h"
#include "profiler/stacks/recording.h"
#include "profiler/stacks/snapshot.h"
#include "wallprof/formats.h"

namespace wallprof::stacks {
namespace {

constexpr size_t kRecordingBytes = size_t{64} << 20;
constexpr int kDepth = 45;

std::vector<Frame> StackNumber(uint64_t number) {
  std::vector<Frame> frames;
  for (int depth = 0; depth < kDepth; ++depth) {
    // Stacks share their roots, as those of programs do.
    const uint64_t which = depth < 8 ? number : number % 97;
    frames.push_back(Frame::Code(1, which * 64 + static_cast<uint64_t>(depth)));
  }
  return frames;
}

Recording& Shared() {
  static Recording& recording =
      *Recording::Allocate(kRecordingBytes).value().release();
  return recording;
}

void InternKnownStack(benchmark::State& state) {
  StackTable& table = Shared().table();
  std::vector<std::vector<Frame>> stacks;
  for (uint64_t i = 0; i < 1000; ++i) stacks.push_back(StackNumber(i));
  for (const auto& stack : stacks) table.Intern(stack);
  size_t at = static_cast<size_t>(state.thread_index()) * 37;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.Intern(stacks[at++ % stacks.size()]));
  }
}
BENCHMARK(InternKnownStack)->Threads(1)->Threads(2);

void CountKnownSample(benchmark::State& state) {
  StackTable& table = Shared().table();
  std::vector<SampleKey> keys;
  for (uint64_t i = 0; i < 1000; ++i) {
    SampleKey key;
    key.stack = table.Intern(StackNumber(i));
    key.thread = static_cast<uint32_t>(i % 10);
    keys.push_back(key);
  }
  size_t at = static_cast<size_t>(state.thread_index()) * 37;
  for (auto _ : state) {
    const EntryId entry = table.Find(keys[at++ % keys.size()]);
    table.Add(entry, Counts{1, 0, 10'101'010});
  }
}
BENCHMARK(CountKnownSample)->Threads(1)->Threads(2);

void AddToEntry(benchmark::State& state) {
  StackTable& table = Shared().table();
  SampleKey key;
  key.stack = table.Intern(StackNumber(0));
  const EntryId entry = table.Find(key);
  for (auto _ : state) table.Add(entry, Counts{1, 0, 10'101'010});
}
BENCHMARK(AddToEntry);

// A recording with `count` distinct stacks.
std::unique_ptr<Recording> Filled(int64_t count) {
  std::unique_ptr<Recording> recording =
      Recording::Allocate(kRecordingBytes).value();
  recording->AddThread(1, "worker");
  recording->BeginTick();
  for (int64_t i = 0; i < count; ++i) {
    SampleKey key;
    key.stack =
        recording->table().Intern(StackNumber(static_cast<uint64_t>(i)));
    recording->table().Add(recording->table().Find(key), Counts{1, 2, 3});
  }
  recording->EndTick(1);
  return recording;
}

void SnapshotAndDifference(benchmark::State& state) {
  const std::unique_ptr<Recording> recording = Filled(state.range(0));
  const Snapshot start = EmptySnapshot(*recording);
  for (auto _ : state) {
    const Snapshot end = TakeSnapshot(*recording);
    benchmark::DoNotOptimize(
        Difference(*recording, start, end, StackId{0}).samples.size());
  }
}
BENCHMARK(SnapshotAndDifference)
    ->Arg(1000)
    ->Arg(50'000)
    ->Unit(benchmark::kMillisecond);

void SnapshotToPprof(benchmark::State& state) {
  const std::unique_ptr<Recording> recording = Filled(state.range(0));
  const Snapshot start = EmptySnapshot(*recording);
  for (auto _ : state) {
    const Snapshot end = TakeSnapshot(*recording);
    const Profile profile = MeasuredProfile(
        *recording, Difference(*recording, start, end, StackId{0}),
        [](int) { return std::string("read"); },
        [](const SampleKey&) { return std::vector<Label>(); });
    benchmark::DoNotOptimize(EncodePprof(profile).size());
  }
}
BENCHMARK(SnapshotToPprof)->Arg(50'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace wallprof::stacks

BENCHMARK_MAIN();
