#include "fleet/store/packing.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

#include "absl/time/clock.h"
#include "fleet/store/columns.h"

namespace wallprof::store {
namespace {

// Small packed segments are put together when there are so many: else there
// would be one for every hour of years.
constexpr size_t kManySmall = 16;
constexpr int64_t kSmallFraction = 16;  // of a group's bytes

// Behind so much that waits, work is done quickly.
constexpr int64_t kMuchToDo = int64_t{256} << 20;

// Profiles that a dictionary is made of, and tried with.
constexpr size_t kMaxSamples = 64;
constexpr size_t kMaxSampleBytes = size_t{2} << 20;

// Places that are changed at once: adds wait for so long.
constexpr size_t kMaxMoves = 500;

// How long a record's turn is put off while profiles are being added. Longer,
// and nothing would be packed where some always are.
constexpr auto kGivesWay = std::chrono::milliseconds(50);

absl::Status Stopped() { return absl::CancelledError("the store is closing"); }

bool IsPacked(const Record& record) { return record.dictionary != 0; }

}  // namespace

absl::Status Packing::Run() {
  const absl::StatusOr<std::vector<Candidate>> candidates = ListCandidates();
  if (!candidates.ok()) return candidates.status();
  int64_t left = 0;
  for (const Candidate& candidate : *candidates) left += candidate.use.bytes;
  for (const Group& group : GroupsOf(*candidates)) {
    const Effort effort = left > kMuchToDo ? Effort::kQuick : Effort::kThorough;
    const absl::StatusOr<bool> leads = rooms_.index.Lead(kLeadTerm);
    if (!leads.ok()) return leads.status();
    if (!*leads) return absl::OkStatus();
    if (absl::Status done = PackGroup(group, effort); !done.ok()) return done;
    for (const Candidate& candidate : group) left -= candidate.use.bytes;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Packing::Candidate>> Packing::ListCandidates()
    const {
  const absl::StatusOr<std::vector<SegmentInfo>> segments =
      rooms_.segments.List();
  if (!segments.ok()) return segments.status();
  rooms_.queue.AwaitWritten();
  const absl::StatusOr<std::vector<SegmentUse>> uses =
      rooms_.index.ListSegments();
  if (!uses.ok()) return uses.status();
  std::map<std::string, SegmentUse> by_name;
  for (const SegmentUse& use : *uses) by_name[use.segment] = use;
  const absl::Time now = absl::Now();
  std::vector<Candidate> candidates;
  std::vector<Candidate> small;
  for (const SegmentInfo& info : *segments) {
    const auto use = by_name.find(info.segment);
    if (info.is_open || use == by_name.end() || use->second.profiles == 0 ||
        now - info.modified < policy_.min_age ||
        given_up_.count(info.segment) != 0) {
      continue;
    }
    if (info.kind == SegmentKind::kReceived ||
        use->second.bytes < info.bytes / 2) {
      candidates.push_back({info, use->second});
    } else if (info.bytes < policy_.max_group_bytes / kSmallFraction) {
      small.push_back({info, use->second});
    }
  }
  if (small.size() >= kManySmall) {
    candidates.insert(candidates.end(), small.begin(), small.end());
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) {
              return a.info.segment < b.info.segment;
            });
  return candidates;
}

std::vector<Packing::Group> Packing::GroupsOf(
    const std::vector<Candidate>& candidates) const {
  std::vector<Group> groups;
  int64_t bytes = policy_.max_group_bytes;
  for (const Candidate& candidate : candidates) {
    if (bytes + candidate.info.bytes > policy_.max_group_bytes) {
      groups.emplace_back();
      bytes = 0;
    }
    groups.back().push_back(candidate);
    bytes += candidate.info.bytes;
  }
  const absl::Time now = absl::Now();
  const auto waits = [&](const Group& group) {
    int64_t waiting = 0;
    for (const Candidate& candidate : group) {
      waiting += candidate.info.bytes;
      if (now - candidate.info.modified >= policy_.max_wait) return false;
    }
    return waiting < policy_.min_group_bytes;
  };
  groups.erase(std::remove_if(groups.begin(), groups.end(), waits),
               groups.end());
  return groups;
}

absl::Status Packing::PackGroup(const Group& group, Effort effort) {
  std::vector<std::string> sources;
  sources.reserve(group.size());  // items are views of them
  std::vector<Item> items;
  for (const Candidate& candidate : group) {
    absl::StatusOr<std::string> bytes =
        rooms_.segments.Read({candidate.info.segment, 0, candidate.info.bytes});
    if (absl::IsNotFound(bytes.status())) continue;
    if (!bytes.ok()) return bytes.status();
    sources.push_back(*std::move(bytes));
    absl::Status read = ReadItems(candidate, sources.back(), items);
    if (!read.ok()) return read;
  }
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return std::tie(a.info.series.service, a.info.created_at, a.info.id) <
           std::tie(b.info.series.service, b.info.created_at, b.info.id);
  });
  std::map<const Item*, std::string> records;
  for (size_t i = 0; i < items.size();) {
    std::vector<Item*> of_service;
    const std::string& service = items[i].info.series.service;
    for (; i < items.size() && items[i].info.series.service == service; ++i) {
      of_service.push_back(&items[i]);
    }
    absl::Status done = PackService(std::move(of_service), effort, records);
    if (!done.ok()) return done;
  }
  if (items.empty()) return absl::OkStatus();
  return WriteItems(items, records);
}

absl::Status Packing::ReadItems(const Candidate& candidate,
                                const std::string& bytes,
                                std::vector<Item>& items) {
  const std::string& segment = candidate.info.segment;
  std::vector<Item> found;
  std::vector<std::string> ids;
  ScanRecords(
      bytes,
      [&](RecordPlace place, const Record& record) {
        ids.push_back(record.info.id);
        found.push_back(
            {record.info,
             {segment, place.offset, place.bytes},
             record,
             std::string_view(bytes).substr(static_cast<size_t>(place.offset),
                                            static_cast<size_t>(place.bytes))});
      },
      [&](RecordPlace place, std::string_view reason) {
        ++damaged_;
        fleet::LogLine("damaged")
            .Add("segment", segment)
            .Add("offset", place.offset)
            .Add("bytes", place.bytes)
            .Add("error", reason)
            .To(log_);
      });
  const absl::StatusOr<std::vector<IndexEntry>> entries = rooms_.index.Get(ids);
  if (!entries.ok()) return entries.status();
  std::map<std::string_view, const Place*> places;
  for (const IndexEntry& entry : *entries) {
    places[entry.info.id] = &entry.place;
  }
  int64_t live = 0;
  for (Item& item : found) {
    const auto place = places.find(item.info.id);
    if (place == places.end() || !(*place->second == item.from)) continue;
    items.push_back(std::move(item));
    ++live;
  }
  if (live < candidate.use.profiles) given_up_.insert(segment);
  return absl::OkStatus();
}

absl::Status Packing::PackService(std::vector<Item*> items, Effort effort,
                                  std::map<const Item*, std::string>& records) {
  std::vector<std::string> samples;
  size_t bytes = 0;
  for (auto item = items.rbegin(); item != items.rend(); ++item) {
    if (samples.size() >= kMaxSamples || bytes >= kMaxSampleBytes) break;
    if (IsPacked((*item)->record)) continue;
    absl::StatusOr<std::string> message =
        rooms_.unpacker.Unpack((*item)->record);
    if (!message.ok()) continue;  // told below
    // What is compressed is what is learnt from.
    std::optional<std::string> columns = SplitColumns(*message);
    samples.push_back(columns.has_value() ? *std::move(columns)
                                          : *std::move(message));
    bytes += samples.back().size();
  }
  // From the oldest to the newest.
  std::reverse(samples.begin(), samples.end());
  Packer::Prepared prepared;
  if (!samples.empty()) {
    absl::StatusOr<Packer::Prepared> found = rooms_.packer.Prepare(
        items.front()->info.series.service, samples, effort);
    if (!found.ok()) return found.status();
    prepared = *std::move(found);
  }
  for (const Item* item : items) {
    if (absl::Status way = GiveWay(); !way.ok()) return way;
    if (IsPacked(item->record)) continue;
    const absl::StatusOr<std::string> message =
        rooms_.unpacker.Unpack(item->record);
    if (!message.ok()) {
      // Sent so, then: its record is as it was written.
      fleet::LogLine("not_packed")
          .Add("profile", item->info.id)
          .Add("error", std::string(message.status().message()))
          .To(log_);
      continue;
    }
    const std::optional<std::string> columns = SplitColumns(*message);
    const PackedMessage packed =
        Packer::Pack(prepared, columns.has_value() ? *columns : *message);
    if (packed.payload.size() >= item->record.payload.size()) continue;
    Record record = item->record;
    record.encoding =
        columns.has_value() ? Encoding::kColumns : Encoding::kZstd;
    record.dictionary = packed.dictionary;
    record.payload = packed.payload;
    records[item] = EncodeRecord(record);
  }
  return absl::OkStatus();
}

absl::Status Packing::WriteItems(
    const std::vector<Item>& items,
    const std::map<const Item*, std::string>& records) {
  std::vector<std::string_view> bytes;
  bytes.reserve(items.size());
  for (const Item& item : items) {
    const auto packed = records.find(&item);
    bytes.push_back(packed == records.end() ? item.source
                                            : std::string_view(packed->second));
  }
  absl::StatusOr<std::vector<Place>> places =
      rooms_.segments.Write(bytes, SegmentKind::kPacked);
  if (!places.ok()) return places.status();
  std::vector<Index::Move> moves;
  moves.reserve(items.size());
  int64_t before = 0;
  int64_t after = 0;
  // The last one first: once the index knows that, it knows the whole segment.
  for (size_t i = items.size(); i-- > 0;) {
    before += items[i].from.bytes;
    after += (*places)[i].bytes;
    moves.push_back({items[i].info.id, items[i].from, (*places)[i]});
  }
  absl::Span<const Index::Move> left(moves);
  while (!left.empty()) {
    const auto some = left.first(std::min(kMaxMoves, left.size()));
    if (absl::Status moved = rooms_.index.Relocate(some); !moved.ok()) {
      return moved;
    }
    left.remove_prefix(some.size());
  }
  packed_ += static_cast<int64_t>(items.size());
  fleet::LogLine("packed")
      .Add("segment", places->front().segment)
      .Add("profiles", static_cast<int64_t>(items.size()))
      .Add("before", before)
      .Add("after", after)
      .To(log_);
  return absl::OkStatus();
}

absl::Status Packing::GiveWay() const {
  const auto until = std::chrono::steady_clock::now() + kGivesWay;
  while (rooms_.queue.waiting() > 0 && !rooms_.stopping &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return rooms_.stopping ? Stopped() : absl::OkStatus();
}

}  // namespace wallprof::store
