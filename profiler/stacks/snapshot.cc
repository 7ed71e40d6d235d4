#include "profiler/stacks/snapshot.h"

#include <time.h>

#include <algorithm>
#include <unordered_map>

#include "absl/container/flat_hash_map.h"

namespace wallprof::stacks {
namespace {

// How often a reader looks whether a tick is over, and how many readings it
// throws away before it takes one that a tick overlapped.
constexpr long kPauseNs = 200'000;
constexpr int kMaxTries = 50;

Losses ReadLosses(const Tallies& tallies) {
  return {tallies.late_ns.get(),          tallies.lost_truncated.get(),
          tallies.lost_overflow.get(),    tallies.lost_masked.get(),
          tallies.lost_small_stack.get(), tallies.lost_exited.get(),
          tallies.lost_late.get(),        tallies.lost_unseen.get(),
          tallies.lost_dropped.get()};
}

void ReadAll(const Recording& recording, Snapshot& snapshot) {
  const StackTable& table = recording.table();
  const uint32_t entries = table.entry_count();
  snapshot.entries.assign(entries, Counts{});
  SampleKey key;
  for (uint32_t i = 0; i < entries; ++i) {
    table.Read(EntryId{i}, key, snapshot.entries[i]);
  }
  const uint32_t threads = recording.thread_count();
  snapshot.pending.assign(threads, Counts{});
  snapshot.known.assign(threads, KnownTime{});
  for (uint32_t i = 0; i < threads; ++i) {
    const ThreadRecord& thread = recording.thread(i);
    snapshot.pending[i] = {thread.pending_samples.get(),
                           thread.pending_cpu_ns.get(),
                           thread.pending_wall_ns.get()};
    snapshot.known[i] = {thread.cpu_ns.get(), thread.waited_ns.get()};
  }
  const int64_t last_tick = recording.last_tick_ns();
  snapshot.time_ns = last_tick == 0 ? recording.start_ns() : last_tick;
  snapshot.ticks = recording.tallies().ticks.get();
  snapshot.whole = last_tick == 0 || recording.last_tick_whole();
  snapshot.losses = ReadLosses(recording.tallies());
}

Losses Minus(const Losses& a, const Losses& b) {
  return {a.late_ns - b.late_ns,
          a.truncated - b.truncated,
          a.overflow - b.overflow,
          a.masked - b.masked,
          a.small_stack - b.small_stack,
          a.exited - b.exited,
          a.late - b.late,
          a.unseen - b.unseen,
          a.dropped - b.dropped};
}

Counts Minus(const Counts& a, const Counts& b) {
  return {a.samples - b.samples, a.cpu_ns - b.cpu_ns, a.wall_ns - b.wall_ns};
}

KnownTime Minus(const KnownTime& a, const KnownTime& b) {
  return {a.cpu_ns - b.cpu_ns, a.waited_ns - b.waited_ns};
}

// Threads and entries are only ever added; what was not there was zero.
template <typename Item>
Item At(const std::vector<Item>& items, size_t i) {
  return i < items.size() ? items[i] : Item{};
}

// Takes `excess` of one column off the samples in proportion to what they
// have, the last one bearing the rounding.
void Reduce(std::vector<Measured*>& samples, int64_t Counts::*column,
            int64_t excess) {
  int64_t total = 0;
  for (const Measured* sample : samples) total += sample->counts.*column;
  excess = std::min(excess, total);
  if (excess <= 0) return;
  for (Measured* sample : samples) {
    int64_t& value = sample->counts.*column;
    const int64_t part = static_cast<int64_t>(static_cast<double>(value) /
                                              static_cast<double>(total) *
                                              static_cast<double>(excess));
    total -= value;
    const int64_t taken = total == 0 ? std::min(excess, value) : part;
    value -= taken;
    excess -= taken;
  }
}

int64_t WallOf(const std::vector<Measured*>& samples) {
  int64_t total = 0;
  for (const Measured* sample : samples) total += sample->counts.wall_ns;
  return total;
}

// Scales the samples' wall time so that it sums to `target`.
void ScaleWall(std::vector<Measured*>& samples, int64_t target) {
  int64_t total = WallOf(samples);
  for (Measured* sample : samples) {
    int64_t& value = sample->counts.wall_ns;
    if (value == 0) continue;
    // Of what is left, this one's share: nothing is lost by rounding.
    const int64_t scaled =
        total == value ? target
                       : static_cast<int64_t>(static_cast<double>(value) /
                                              static_cast<double>(total) *
                                              static_cast<double>(target));
    total -= value;
    target -= scaled;
    value = scaled;
  }
}

// A thread's samples by what it was doing.
struct Strata {
  std::vector<Measured*> running;
  std::vector<Measured*> runnable;
  std::vector<Measured*> blocked;

  void Add(Measured& sample) {
    switch (sample.key.state) {
      case ThreadState::kRunning:
        return running.push_back(&sample);
      case ThreadState::kRunnable:
        return runnable.push_back(&sample);
      case ThreadState::kBlocked:
      case ThreadState::kDisk:
        return blocked.push_back(&sample);
    }
  }

  std::vector<Measured*> OnCpuOrWaiting() const {
    std::vector<Measured*> both = running;
    both.insert(both.end(), runnable.begin(), runnable.end());
    return both;
  }

  // Parts the wall time as `known` tells. What no look has met has no samples
  // to scale, and stays where the looks put it.
  void Poststratify(const KnownTime& known) {
    const int64_t on_cpu_seen = WallOf(running);
    const int64_t waiting_seen = WallOf(runnable);
    const int64_t blocked_seen = WallOf(blocked);
    const int64_t total = on_cpu_seen + waiting_seen + blocked_seen;
    const int64_t known_run = known.cpu_ns + known.waited_ns;
    if (known_run <= 0 || on_cpu_seen + waiting_seen <= 0) return;
    const int64_t run = blocked_seen > 0 ? std::min(known_run, total) : total;
    int64_t waiting = static_cast<int64_t>(
        static_cast<double>(run) / static_cast<double>(known_run) *
        static_cast<double>(known.waited_ns));
    if (waiting_seen <= 0) waiting = 0;
    if (on_cpu_seen <= 0) waiting = run;
    ScaleWall(running, run - waiting);
    ScaleWall(runnable, waiting);
    ScaleWall(blocked, total - run);
  }
};

// By key, where that alone differs.
void ForgetTargets(std::vector<Measured>& samples) {
  if (std::all_of(samples.begin(), samples.end(), [](const Measured& sample) {
        return sample.key.target == kNoStack;
      })) {
    return;
  }
  absl::flat_hash_map<SampleKey, size_t> places;
  size_t size = 0;
  for (const Measured& sample : samples) {
    Measured plain = sample;
    plain.key.target = kNoStack;
    const auto [place, is_new] = places.try_emplace(plain.key, size);
    if (is_new) {
      samples[size++] = plain;
    } else {
      samples[place->second].counts += plain.counts;
    }
  }
  samples.resize(size);
}

}  // namespace

void ForgetTargets(Measurement& measurement) {
  ForgetTargets(measurement.samples);
  ForgetTargets(measurement.lock_waits);
}

Snapshot TakeSnapshot(const Recording& recording) {
  Snapshot snapshot;
  for (int attempt = 0; attempt < kMaxTries; ++attempt) {
    const uint64_t before = recording.tick_sequence();
    if (before % 2 == 0) {
      ReadAll(recording, snapshot);
      // The reads above must not sink below the second look at the sequence.
      std::atomic_thread_fence(std::memory_order_acquire);
      if (recording.tick_sequence() == before) return snapshot;
    }
    const timespec pause{0, kPauseNs};
    nanosleep(&pause, nullptr);
  }
  ReadAll(recording, snapshot);
  return snapshot;
}

Snapshot EmptySnapshot(const Recording& recording) {
  Snapshot snapshot;
  snapshot.time_ns = recording.start_ns();
  return snapshot;
}

Measurement Difference(const Recording& recording, const Snapshot& start,
                       const Snapshot& end, StackId not_sampled) {
  Measurement result;
  result.start_ns = start.time_ns;
  result.end_ns = end.time_ns;
  result.ticks = end.ticks - start.ticks;
  result.cpu_only = recording.cpu_only();
  result.losses = Minus(end.losses, start.losses);
  for (uint32_t i = 0; i < end.entries.size(); ++i) {
    Measured sample;
    Counts ignored;
    sample.counts = Minus(end.entries[i], At(start.entries, i));
    if (sample.counts == Counts{}) continue;
    if (!recording.table().Read(EntryId{i}, sample.key, ignored)) continue;
    auto& samples =
        sample.key.holder == kNoStack ? result.samples : result.lock_waits;
    samples.push_back(sample);
  }
  for (uint32_t i = 0; i < end.pending.size(); ++i) {
    const Counts more = Minus(end.pending[i], At(start.pending, i));
    Measured pending;
    pending.key.stack = not_sampled;
    pending.key.thread = i;
    pending.counts = {std::max<int64_t>(more.samples, 0),
                      std::max<int64_t>(more.cpu_ns, 0),
                      std::max<int64_t>(more.wall_ns, 0)};
    if (!(pending.counts == Counts{})) result.samples.push_back(pending);
  }
  // No sample is added from here on: they are pointed to.
  std::unordered_map<uint32_t, Strata> threads;
  for (Measured& sample : result.samples) {
    threads[sample.key.thread].Add(sample);
  }
  for (auto& [thread, strata] : threads) {
    const Counts more =
        Minus(At(end.pending, thread), At(start.pending, thread));
    std::vector<Measured*> ran = strata.OnCpuOrWaiting();
    Reduce(ran, &Counts::samples, -more.samples);
    Reduce(ran, &Counts::cpu_ns, -more.cpu_ns);
    Reduce(ran, &Counts::wall_ns, -more.wall_ns);
    strata.Poststratify(Minus(At(end.known, thread), At(start.known, thread)));
  }
  return result;
}

}  // namespace wallprof::stacks
