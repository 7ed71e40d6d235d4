#include "profiler/record/slice.h"

#include <algorithm>
#include <iterator>

namespace wallprof::record {
namespace {

using stacks::Counts;
using stacks::Losses;

constexpr int64_t kUnitNs = 1000;  // in which times are kept

// Of a slice: 50 days, or ten seconds of 400 000 threads. What says more is
// corrupt, and sums of it could overflow.
constexpr int64_t kMost = int64_t{1} << 52;

// Nanoseconds since 1970 in the year 2043.
constexpr int64_t kLatestWallNs = int64_t{1} << 61;

// Rounds down to units, what is over being carried to the next one.
class Rounding {
 public:
  int64_t Units(int64_t ns) {
    const int64_t whole = ns + carried_;
    const int64_t units = whole / kUnitNs;
    carried_ = whole - units * kUnitNs;
    return units;
  }

 private:
  int64_t carried_ = 0;
};

// Wall units that one look stands for, about. What samples have is coded as
// the difference from that, which is short for threads that do not move.
int64_t UnitsPerSample(const Counts& total) {
  return total.samples > 0 ? total.wall_ns / kUnitNs / total.samples : 0;
}

constexpr int64_t Losses::*kLosses[] = {
    &Losses::late_ns, &Losses::truncated,   &Losses::overflow,
    &Losses::masked,  &Losses::small_stack, &Losses::exited,
    &Losses::late,    &Losses::unseen};

void EncodeCounts(const Counts& counts, ByteWriter& out) {
  out.Signed(counts.samples);
  out.Signed(counts.cpu_ns);
  out.Signed(counts.wall_ns);
}

Counts DecodeCounts(ByteReader& in) {
  const int64_t samples = in.Signed();
  const int64_t cpu_ns = in.Signed();
  return {samples, cpu_ns, in.Signed()};
}

bool IsPlausible(int64_t value) { return value >= 0 && value <= kMost; }

bool IsPlausible(const Counts& counts) {
  return IsPlausible(counts.samples) && IsPlausible(counts.cpu_ns) &&
         IsPlausible(counts.wall_ns);
}

// Unsigned, since what is corrupt may overflow.
int64_t TimesUnit(uint64_t units) {
  return static_cast<int64_t>(units * uint64_t{kUnitNs});
}

// The sample that follows; `sample` is the one before, or a new one.
void DecodeSample(ByteReader& in, int64_t per_sample, SliceSample& sample) {
  sample.key += static_cast<uint32_t>(in.Number());
  const int64_t coded = in.Signed();
  Counts& counts = sample.counts;
  counts.samples = coded >> 1;
  counts.cpu_ns = coded & 1 ? TimesUnit(static_cast<uint64_t>(in.Signed())) : 0;
  counts.wall_ns = TimesUnit(static_cast<uint64_t>(in.Signed()) +
                             static_cast<uint64_t>(counts.samples) *
                                 static_cast<uint64_t>(per_sample));
}

// Whether Samples() can be had, and will name keys below `key_count`.
bool AreSound(const SampleList& list, uint32_t key_count) {
  ByteReader in(list.samples);
  const int64_t per_sample = UnitsPerSample(list.total);
  Counts rest = list.total;
  SliceSample sample;
  for (uint32_t i = 0; i < list.sample_count; ++i) {
    const uint32_t before = sample.key;
    DecodeSample(in, per_sample, sample);
    const Counts& counts = sample.counts;
    if (!in.ok() || sample.key >= key_count ||
        (i > 0 && sample.key <= before) || !IsPlausible(counts)) {
      return false;
    }
    rest += {-counts.samples, -counts.cpu_ns, -counts.wall_ns};
    if (!IsPlausible(rest)) return false;
  }
  return in.left() == 0 && (list.sample_count > 0 || rest == Counts{});
}

void EncodeSamples(const SampleList& list, ByteWriter& out) {
  EncodeCounts(list.total, out);
  out.Number(list.sample_count);
  out.Text(list.samples);
}

// False when they are not EncodeSamples's, or name keys beyond `key_count`.
bool DecodeSamples(ByteReader& in, uint32_t key_count, SampleList& list) {
  list.total = DecodeCounts(in);
  list.sample_count = static_cast<uint32_t>(in.Count());
  list.samples = in.Text();
  return in.ok() && IsPlausible(list.total) && AreSound(list, key_count);
}

bool HasLowerKey(const SliceSample& a, const SliceSample& b) {
  return a.key < b.key;
}

// `samples` are sorted.
void AddUpEqual(std::vector<SliceSample>& samples) {
  size_t size = 0;
  for (const SliceSample& sample : samples) {
    if (size > 0 && samples[size - 1].key == sample.key) {
      samples[size - 1].counts += sample.counts;
    } else {
      samples[size++] = sample;
    }
  }
  samples.resize(size);
}

void Append(const SampleList& more, SampleList& list) {
  std::vector<SliceSample> samples = Samples(list);
  AddSamples(Samples(more), samples);
  SetSamples(samples, list);
}

}  // namespace

void SetSamples(const std::vector<SliceSample>& samples, SampleList& list) {
  list.total = {};
  for (const SliceSample& sample : samples) list.total += sample.counts;
  list.sample_count = static_cast<uint32_t>(samples.size());
  const int64_t per_sample = UnitsPerSample(list.total);
  ByteWriter out;
  Rounding cpu;
  Rounding wall;
  uint32_t key = 0;
  for (const SliceSample& sample : samples) {
    out.Number(sample.key - key);
    key = sample.key;
    const Counts& counts = sample.counts;
    const int64_t cpu_units = cpu.Units(counts.cpu_ns);
    // Most samples are of blocked threads, which use no CPU time.
    out.Signed(2 * counts.samples + (cpu_units != 0));
    if (cpu_units != 0) out.Signed(cpu_units);
    out.Signed(wall.Units(counts.wall_ns) - counts.samples * per_sample);
  }
  list.samples = out.Take();
  list.samples.shrink_to_fit();
}

std::vector<SliceSample> Samples(const SampleList& list) {
  std::vector<SliceSample> samples;
  samples.reserve(list.sample_count);
  const int64_t per_sample = UnitsPerSample(list.total);
  ByteReader in(list.samples);
  Counts rest = list.total;
  SliceSample sample;
  for (uint32_t i = 0; i < list.sample_count; ++i) {
    DecodeSample(in, per_sample, sample);
    rest += {0, -sample.counts.cpu_ns, -sample.counts.wall_ns};
    samples.push_back(sample);
  }
  if (!samples.empty()) {
    samples.front().counts += {0, rest.cpu_ns, rest.wall_ns};
  }
  return samples;
}

void SortSamples(std::vector<SliceSample>& samples) {
  std::sort(samples.begin(), samples.end(), HasLowerKey);
  AddUpEqual(samples);
}

void AddSamples(const std::vector<SliceSample>& more,
                std::vector<SliceSample>& samples) {
  std::vector<SliceSample> both;
  both.reserve(samples.size() + more.size());
  std::merge(samples.begin(), samples.end(), more.begin(), more.end(),
             std::back_inserter(both), HasLowerKey);
  AddUpEqual(both);
  samples.swap(both);
}

Slice Joined(const Slice& a, const Slice& b) {
  Slice joined = a;
  joined.end_ns = b.end_ns;
  joined.end_wall_ns = b.end_wall_ns;
  joined.ticks += b.ticks;
  Add(b.losses, joined.losses);
  joined.threads = std::max(a.threads, b.threads);
  Append(b, joined);
  Append(b.lock_waits, joined.lock_waits);
  return joined;
}

void Add(const Losses& b, Losses& a) {
  for (int64_t Losses::*loss : kLosses) a.*loss += b.*loss;
}

void EncodeSlice(const Slice& slice, ByteWriter& out) {
  out.Signed(slice.start_ns);
  out.Signed(slice.end_ns - slice.start_ns);
  out.Signed(slice.start_wall_ns);
  out.Signed(slice.end_wall_ns - slice.start_wall_ns);
  out.Signed(slice.ticks);
  for (int64_t Losses::*loss : kLosses) out.Signed(slice.losses.*loss);
  out.Number(slice.threads);
  EncodeSamples(slice, out);
  EncodeSamples(slice.lock_waits, out);
}

bool DecodeSlice(ByteReader& in, uint32_t key_count, Slice& slice) {
  slice.start_ns = in.Signed();
  const int64_t duration = in.Signed();
  slice.start_wall_ns = in.Signed();
  const int64_t wall_duration = in.Signed();
  slice.ticks = in.Signed();
  for (int64_t Losses::*loss : kLosses) slice.losses.*loss = in.Signed();
  slice.threads = static_cast<uint32_t>(in.Number());
  // The realtime clock may have been set back meanwhile.
  if (!in.ok() || !IsPlausible(slice.start_ns) || !IsPlausible(duration) ||
      slice.start_wall_ns < 0 || slice.start_wall_ns > kLatestWallNs ||
      wall_duration < -kMost || wall_duration > kMost ||
      !IsPlausible(slice.ticks)) {
    return false;
  }
  for (int64_t Losses::*loss : kLosses) {
    if (!IsPlausible(slice.losses.*loss)) return false;
  }
  slice.end_ns = slice.start_ns + duration;
  slice.end_wall_ns = slice.start_wall_ns + wall_duration;
  return DecodeSamples(in, key_count, slice) &&
         DecodeSamples(in, key_count, slice.lock_waits);
}

}  // namespace wallprof::record
