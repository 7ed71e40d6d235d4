#include "profiler/record/window.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "profiler/stacks/frame_locations.h"

namespace wallprof::record {
namespace {

using stacks::Counts;

// Enough to see what went on; a profile is no log.
constexpr size_t kMaxEventComments = 50;

class Builder {
 public:
  Builder(const Dictionary& dictionary,
          const stacks::SyscallNames& syscall_name)
      : dictionary_(dictionary), syscall_name_(syscall_name) {
    profile_.sample_types = {
        {"samples", "count"}, {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}};
    profile_.default_sample_type = "wall";
    profile_.period_type = {"wall", "nanoseconds"};
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

  void Add(const Key& key, const Counts& counts) {
    Sample sample;
    locations_.Append(dictionary_.Frames(key.stack), sample);
    sample.values = {counts.samples, counts.cpu_ns, counts.wall_ns};
    const ThreadIdentity& thread = dictionary_.thread(key.thread);
    if (thread.tid != 0 || !thread.name.empty()) {
      sample.labels.push_back({"thread", thread.name});
      sample.labels.push_back({"tid", "", thread.tid});
    }
    sample.labels.push_back({"state", stacks::ThreadStateName(key.state)});
    std::string wait = stacks::WaitName(key.wait, syscall_name_);
    if (!wait.empty()) sample.labels.push_back({"wait", std::move(wait)});
    for (const auto& [name, text] : dictionary_.labels(key.labels)) {
      sample.labels.push_back({name, text});
    }
    profile_.samples.push_back(std::move(sample));
  }

  Profile Finish() { return std::move(profile_); }

 private:
  const Dictionary& dictionary_;
  const stacks::SyscallNames& syscall_name_;
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

std::vector<std::string> EventComments(absl::Span<const Slice* const> slices,
                                       absl::Span<const Event> events) {
  std::vector<std::string> comments;
  const int64_t from = slices.front()->start_wall_ns;
  const int64_t to = slices.back()->end_wall_ns;
  size_t left_out = 0;
  for (const Event& event : events) {
    if (event.wall_ns < from || event.wall_ns > to) continue;
    if (comments.size() == kMaxEventComments) {
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
                  const stacks::SyscallNames& syscall_name) {
  std::vector<Counts> sums(dictionary.key_count());
  stacks::Measurement whole;
  int64_t longest_ns = 0;
  for (const Slice* slice : slices) {
    for (const SliceSample& sample : Samples(*slice)) {
      sums[sample.key] += sample.counts;
    }
    const int64_t duration = slice->end_ns - slice->start_ns;
    whole.end_ns += duration;
    whole.ticks += slice->ticks;
    Add(slice->losses, whole.losses);
    longest_ns = std::max(longest_ns, duration);
  }
  Builder builder(dictionary, syscall_name);
  for (uint32_t key = 0; key < sums.size(); ++key) {
    if (sums[key] == Counts{}) continue;
    builder.Add(dictionary.key(key), sums[key]);
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
  for (std::string& comment : EventComments(slices, events)) {
    profile.comments.push_back(std::move(comment));
  }
  return profile;
}

}  // namespace wallprof::record
