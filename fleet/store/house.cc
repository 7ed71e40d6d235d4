#include "fleet/store/house.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"

namespace wallprof::store {
namespace {

// Profiles that are removed at once: adds wait for so long.
constexpr size_t kMaxRemoved = 1000;

// When too much is kept, so much of the bound stays: else each new profile
// would cost an old one, and each time a segment.
constexpr double kEvictTo = 0.9;

// Profiles that come later than their period was thinned are found by then.
constexpr absl::Duration kThinsAllEvery = absl::Hours(24);

}  // namespace

House::House(Index& index, Segments& segments, CommitQueue& queue,
             const std::atomic<bool>& stopping, HousePolicy policy,
             fleet::LineLog log)
    : index_(index),
      segments_(segments),
      queue_(queue),
      stopping_(stopping),
      policy_(std::move(policy)),
      log_(std::move(log)) {}

absl::Status House::ApplyRetention() {
  const Retention& retention = policy_.retention;
  if (absl::Status expired = Expire(); !expired.ok()) return expired;
  const absl::Time now = policy_.now();
  if (now >= thins_all_at_) {
    thinned_until_.assign(retention.thinning.size(), absl::InfinitePast());
    thins_all_at_ = now + kThinsAllEvery;
  }
  for (size_t i = 0; i < retention.thinning.size(); ++i) {
    absl::Status thinned = Thin(retention.thinning[i], thinned_until_[i]);
    if (!thinned.ok()) return thinned;
  }
  return Evict();
}

absl::Status House::RemoveChosen(
    absl::Time from, absl::Time to,
    absl::FunctionRef<Choice(const IndexEntry&)> choose,
    std::atomic<int64_t>& count, std::string_view why) {
  Query query;
  query.from = from;
  query.to = to;
  int64_t removed = 0;
  // What was asked about already, of the second that the next look begins with.
  std::set<std::string> seen;
  bool has_more = true;
  while (has_more) {
    if (stopping_) return absl::CancelledError("the store is closing");
    has_more = false;
    std::vector<std::string> ids;
    const absl::Status found = index_.Find(query, [&](const IndexEntry& entry) {
      if (entry.info.created_at > query.from) seen.clear();
      query.from = entry.info.created_at;
      if (!seen.insert(entry.info.id).second) return true;
      const Choice choice = choose(entry);
      if (choice == Choice::kNoMore) return false;
      if (choice == Choice::kRemove) ids.push_back(entry.info.id);
      has_more = ids.size() >= kMaxRemoved;
      return !has_more;
    });
    if (!found.ok()) return found;
    if (ids.empty()) break;
    const auto gone = index_.Remove(ids);
    if (!gone.ok()) return gone.status();
    removed += static_cast<int64_t>(gone->size());
    count += static_cast<int64_t>(gone->size());
  }
  if (removed > 0) {
    fleet::LogLine("removed").Add("profiles", removed).Add("why", why).To(log_);
  }
  return absl::OkStatus();
}

absl::Status House::Expire() {
  const absl::Duration age = policy_.retention.max_age;
  if (age <= absl::ZeroDuration()) return absl::OkStatus();
  // Of exactly that age, it stays.
  const absl::Time last = policy_.now() - age - absl::Nanoseconds(1);
  return RemoveChosen(
      absl::InfinitePast(), last,
      [](const IndexEntry&) { return Choice::kRemove; }, expired_, "age");
}

absl::Status House::Thin(const Retention::Thinning& rule,
                         absl::Time& thinned_until) {
  const int64_t period = absl::ToInt64Seconds(rule.period);
  if (period <= 0) return absl::OkStatus();
  const auto period_of = [period](absl::Time time) {
    const int64_t seconds = absl::ToUnixSeconds(time);
    return seconds >= 0 ? seconds / period : (seconds - period + 1) / period;
  };
  // Whole periods alone: of one that is not over yet, the one that is kept
  // would change.
  const absl::Time end =
      absl::FromUnixSeconds(period_of(policy_.now() - rule.age) * period);
  if (end <= thinned_until) return absl::OkStatus();
  int64_t current = INT64_MIN;
  std::set<Series> kept;
  absl::Status thinned = RemoveChosen(
      thinned_until, end - absl::Nanoseconds(1),
      [&](const IndexEntry& entry) {
        const int64_t number = period_of(entry.info.created_at);
        if (number != current) kept.clear();
        current = number;
        return kept.insert(entry.info.series).second ? Choice::kKeep
                                                     : Choice::kRemove;
      },
      thinned_, "thinning");
  if (thinned.ok()) thinned_until = end;
  return thinned;
}

absl::Status House::Evict() {
  const int64_t max_bytes = policy_.retention.max_bytes;
  if (max_bytes <= 0) return absl::OkStatus();
  const auto segments = segments_.List();
  if (!segments.ok()) return segments.status();
  int64_t total = 0;
  for (const SegmentInfo& segment : *segments) total += segment.bytes;
  if (total <= max_bytes) return absl::OkStatus();
  const auto uses = index_.ListSegments();
  if (!uses.ok()) return uses.status();
  int64_t live = 0;
  for (const SegmentUse& use : *uses) live += use.bytes;
  const auto bound =
      static_cast<int64_t>(kEvictTo * static_cast<double>(max_bytes));
  return RemoveChosen(
      absl::InfinitePast(), absl::InfiniteFuture(),
      [&](const IndexEntry& entry) {
        if (live <= bound) return Choice::kNoMore;
        live -= entry.place.bytes;
        return Choice::kRemove;
      },
      evicted_, "size");
}

absl::Status House::ClearAway() {
  const auto segments = segments_.List();
  if (!segments.ok()) return segments.status();
  // What is closed by now has been told to the index after this.
  queue_.AwaitWritten();
  const auto uses = index_.ListSegments();
  if (!uses.ok()) return uses.status();
  std::map<std::string_view, const SegmentInfo*> listed;
  for (const SegmentInfo& segment : *segments) {
    listed[segment.segment] = &segment;
  }
  for (const SegmentUse& use : *uses) {
    if (use.profiles > 0) continue;
    const auto segment = listed.find(use.segment);
    absl::Status done;
    if (segment != listed.end()) {
      if (segment->second->is_open) continue;
      done = segments_.Delete(use.segment);
    }
    // One that is not listed was deleted before, or was begun since: that one
    // must not be deleted, and is told to the index again.
    if (done.ok()) done = index_.ForgetSegment(use.segment);
    if (!done.ok()) return done;
  }
  return ClearOrphans(*segments, *uses);
}

absl::Status House::ClearOrphans(const std::vector<SegmentInfo>& segments,
                                 const std::vector<SegmentUse>& uses) {
  if (policy_.orphan_age == absl::InfiniteDuration()) return absl::OkStatus();
  std::set<std::string_view> known;
  for (const SegmentUse& use : uses) known.insert(use.segment);
  for (const SegmentInfo& segment : segments) {
    if (segment.is_open || known.count(segment.segment) != 0 ||
        absl::Now() - segment.modified < policy_.orphan_age) {
      continue;
    }
    absl::Status deleted = segments_.Delete(segment.segment);
    if (!deleted.ok()) return deleted;
    fleet::LogLine("cleared")
        .Add("segment", segment.segment)
        .Add("bytes", segment.bytes)
        .To(log_);
  }
  return absl::OkStatus();
}

}  // namespace wallprof::store
