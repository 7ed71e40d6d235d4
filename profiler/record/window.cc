#include "profiler/record/window.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "profiler/profile/time_slices.h"
#include "profiler/stacks/frame_locations.h"

namespace wallprof::record {
namespace {

using stacks::Counts;
using stacks::Frame;
using stacks::PseudoFrame;

// Enough to see what went on; a profile is no log. A line of time is one.
constexpr size_t kMaxEventComments = 50;
constexpr size_t kMaxEventsInTime = 2000;

// With slices apart: an hour in steps of half a minute is what a viewer shows,
// and so many samples take some 20 MB.
constexpr size_t kMaxApart = 120;
constexpr size_t kMaxSamplesApart = 20'000;

class Builder {
 public:
  Builder(const Dictionary& dictionary,
          const stacks::SyscallNames& syscall_name, bool lock_waits)
      : dictionary_(dictionary),
        syscall_name_(syscall_name),
        lock_waits_(lock_waits) {
    if (lock_waits) {
      profile_.sample_types = {{"samples", "count"},
                               {"lockwait", "nanoseconds"}};
    } else {
      profile_.sample_types = {{"samples", "count"},
                               {"cpu", "nanoseconds"},
                               {"wall", "nanoseconds"}};
    }
    profile_.default_sample_type = profile_.sample_types.back().type;
    profile_.period_type = profile_.sample_types.back();
    for (size_t id = 1; id < dictionary.modules().size(); ++id) {
      const Module& module = dictionary.modules()[id];
      Mapping mapping;
      mapping.id = id;
      mapping.start = module.start;
      mapping.limit = module.limit;
      mapping.file_offset = module.file_offset;
      mapping.filename = module.path;
      mapping.build_id = module.build_id;
      locations_.AddModule(std::move(mapping));
    }
  }

  void Add(const Key& key, const Counts& counts,
           const std::vector<Label>& more = {}) {
    Sample& sample = AddEmpty(counts, key.thread);
    // The frames of a wait's holder are further from the root than the
    // waiter's.
    if (lock_waits_) {
      locations_.Append(dictionary_.Frames(key.holder), sample);
      AddPseudo(PseudoFrame::kHeldBy, sample);
    }
    locations_.Append(dictionary_.Frames(key.stack), sample);
    const char* state = stacks::ThreadStateName(key.state);
    sample.labels.push_back({"state", lock_waits_ ? "blocked" : state});
    std::string wait = stacks::WaitName(key.wait, syscall_name_);
    if (!wait.empty()) sample.labels.push_back({"wait", std::move(wait)});
    for (const auto& [name, text] : dictionary_.labels(key.labels)) {
      sample.labels.push_back({name, text});
    }
    if (lock_waits_) sample.labels.push_back({"holder", state});
    sample.labels.insert(sample.labels.end(), more.begin(), more.end());
  }

  // What a thread did besides, without its stacks.
  void AddRest(uint32_t thread, const Counts& counts,
               const std::vector<Label>& more) {
    Sample& sample = AddEmpty(counts, thread);
    AddPseudo(PseudoFrame::kLessHeavy, sample);
    sample.labels.insert(sample.labels.end(), more.begin(), more.end());
  }

  Profile Finish() { return std::move(profile_); }

 private:
  Sample& AddEmpty(const Counts& counts, uint32_t thread_number) {
    Sample& sample = profile_.samples.emplace_back();
    if (lock_waits_) {
      sample.values = {counts.samples, counts.wall_ns};
    } else {
      sample.values = {counts.samples, counts.cpu_ns, counts.wall_ns};
    }
    const ThreadIdentity& thread = dictionary_.thread(thread_number);
    if (thread.tid != 0 || !thread.name.empty()) {
      sample.labels.push_back({"thread", thread.name});
      sample.labels.push_back({"tid", "", thread.tid});
    }
    return sample;
  }

  void AddPseudo(PseudoFrame pseudo, Sample& sample) {
    sample.location_ids.push_back(locations_.Of(Frame::Pseudo(pseudo)));
  }

  const Dictionary& dictionary_;
  const stacks::SyscallNames& syscall_name_;
  const bool lock_waits_;
  Profile profile_;
  stacks::FrameLocations locations_{profile_};
};

int64_t Overlap(const Slice& slice, const Interval& interval) {
  const absl::Time from =
      std::max(interval.from, absl::FromUnixNanos(slice.start_wall_ns));
  const absl::Time to =
      std::min(interval.to, absl::FromUnixNanos(slice.end_wall_ns));
  return absl::ToInt64Nanoseconds(to - from);
}

// What is wanted of a slice.
const SampleList& ListOf(const Slice& slice, bool lock_waits) {
  return lock_waits ? slice.lock_waits : slice;
}

// The samples of `slices` together, in the order of their keys.
std::vector<SliceSample> SumsOf(absl::Span<const Slice* const> slices,
                                const Dictionary& dictionary, bool lock_waits) {
  std::vector<Counts> sums(dictionary.key_count());
  for (const Slice* slice : slices) {
    for (const SliceSample& sample : Samples(ListOf(*slice, lock_waits))) {
      sums[sample.key] += sample.counts;
    }
  }
  std::vector<SliceSample> samples;
  for (uint32_t key = 0; key < sums.size(); ++key) {
    if (!(sums[key] == Counts{})) samples.push_back({key, sums[key]});
  }
  return samples;
}

// Adds the samples of each slice with labels that tell which it is, within the
// bounds for slices apart.
void AddApart(absl::Span<const Slice* const> slices,
              const Dictionary& dictionary, const WindowOptions& options,
              Builder& builder) {
  const size_t step = (options.all_slices + kMaxApart - 1) / kMaxApart;
  const size_t steps = (options.all_slices + step - 1) / step;
  const size_t most = kMaxSamplesApart / steps;
  for (size_t i = 0; i < slices.size(); i += step) {
    const auto joined = slices.subspan(i, step);
    TimeSlice slice;
    slice.start_ns = joined.front()->start_wall_ns - options.origin_wall_ns;
    for (const Slice* each : joined) {
      slice.length_ns += each->end_ns - each->start_ns;
    }
    const std::vector<Label> labels = LabelsOfSlice(slice);
    std::vector<SliceSample> samples =
        SumsOf(joined, dictionary, options.past.view == View::kBlockedBy);
    std::stable_sort(samples.begin(), samples.end(),
                     [](const SliceSample& a, const SliceSample& b) {
                       return a.counts.wall_ns > b.counts.wall_ns;
                     });
    absl::flat_hash_map<uint32_t, Counts> rest;  // by thread
    for (size_t at = 0; at < samples.size(); ++at) {
      const Key& key = dictionary.key(samples[at].key);
      if (at < most) {
        builder.Add(key, samples[at].counts, labels);
      } else {
        rest[key.thread] += samples[at].counts;
      }
    }
    for (const auto& [thread, counts] : rest) {
      builder.AddRest(thread, counts, labels);
    }
  }
}

std::vector<std::string> EventComments(absl::Span<const Slice* const> slices,
                                       absl::Span<const Event> events,
                                       size_t most) {
  std::vector<std::string> comments;
  const int64_t from = slices.front()->start_wall_ns;
  const int64_t to = slices.back()->end_wall_ns;
  size_t left_out = 0;
  for (const Event& event : events) {
    if (event.wall_ns < from || event.wall_ns > to) continue;
    if (comments.size() == most) {
      ++left_out;
      continue;
    }
    comments.push_back(
        absl::StrCat("wallprof: ",
                     absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ",
                                      absl::FromUnixNanos(event.wall_ns),
                                      absl::UTCTimeZone()),
                     " ", EventKindName(event.kind), " ", event.detail));
  }
  if (left_out > 0) {
    comments.push_back(absl::StrCat("wallprof: and ", left_out,
                                    " more events, which /recording shows"));
  }
  return comments;
}

}  // namespace

std::vector<const Slice*> SlicesIn(const Interval& interval,
                                   absl::Span<const Slice* const> slices) {
  std::vector<const Slice*> found;
  for (const Slice* slice : slices) {
    const absl::Time middle = absl::FromUnixNanos(slice->middle_wall_ns());
    if (middle >= interval.from && middle < interval.to) {
      found.push_back(slice);
    }
  }
  if (!found.empty() || slices.empty()) return found;
  const Slice* most = *std::max_element(
      slices.begin(), slices.end(), [&](const Slice* a, const Slice* b) {
        return Overlap(*a, interval) < Overlap(*b, interval);
      });
  if (Overlap(*most, interval) > 0) found.push_back(most);
  return found;
}

Profile ProfileOf(const Dictionary& dictionary,
                  absl::Span<const Slice* const> slices,
                  absl::Span<const Event> events,
                  const stacks::SyscallNames& syscall_name,
                  const WindowOptions& options) {
  stacks::Measurement whole;
  int64_t longest_ns = 0;
  for (const Slice* slice : slices) {
    const int64_t duration = slice->end_ns - slice->start_ns;
    whole.end_ns += duration;
    whole.ticks += slice->ticks;
    Add(slice->losses, whole.losses);
    longest_ns = std::max(longest_ns, duration);
  }
  const bool lock_waits = options.past.view == View::kBlockedBy;
  Builder builder(dictionary, syscall_name, lock_waits);
  if (options.past.slices_apart) {
    AddApart(slices, dictionary, options, builder);
  } else {
    for (const SliceSample& sample : SumsOf(slices, dictionary, lock_waits)) {
      builder.Add(dictionary.key(sample.key), sample.counts);
    }
  }
  Profile profile = builder.Finish();
  profile.time = absl::FromUnixNanos(slices.front()->start_wall_ns);
  profile.duration = absl::Nanoseconds(whole.end_ns);
  profile.period = whole.end_ns / std::max<int64_t>(whole.ticks, 1);
  profile.comments = stacks::LossComments(whole);
  profile.comments.push_back(
      absl::StrCat("wallprof: recorded, in ", slices.size(), " slices of ",
                   absl::FormatDuration(absl::Trunc(
                       absl::Nanoseconds(longest_ns), absl::Milliseconds(1))),
                   " at most"));
  const size_t most_events =
      options.past.slices_apart ? kMaxEventsInTime : kMaxEventComments;
  for (std::string& comment : EventComments(slices, events, most_events)) {
    profile.comments.push_back(std::move(comment));
  }
  return profile;
}

}  // namespace wallprof::record
