#include "fleet/store/kept_profiles.h"

#include <sys/resource.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/store/columns.h"
#include "fleet/store/record.h"

namespace wallprof::store {
namespace {

// The last before idle: what it gets it hardly takes from anyone.
constexpr int kHousePriority = 19;

}  // namespace

KeptProfiles::KeptProfiles(fleet::File lock, std::unique_ptr<Index> index,
                           std::unique_ptr<Segments> segments,
                           KeepingOptions options)
    : lock_(std::move(lock)),
      index_(std::move(index)),
      segments_(std::move(segments)),
      options_(std::move(options)),
      unpacker_(*index_),
      packer_(*index_),
      queue_(*index_, *segments_),
      house_(*index_, *segments_, queue_, stopping_, options_.house,
             options_.log),
      packing_({*index_, *segments_, queue_, unpacker_, packer_, stopping_},
               options_.packing, options_.log) {
  if (options_.keeps_house_every > absl::ZeroDuration()) {
    housekeeper_ = std::thread([this] { KeepHouseNowAndThen(); });
  }
}

KeptProfiles::~KeptProfiles() {
  {
    const std::lock_guard lock(waking_);
    stopping_ = true;
  }
  woken_.notify_all();
  if (housekeeper_.joinable()) housekeeper_.join();
}

absl::StatusOr<bool> KeptProfiles::Add(const NewProfile& profile) {
  Record record;
  record.info = profile.info;
  record.message_bytes = static_cast<int64_t>(profile.message.size());
  record.payload = profile.gzipped;
  record.encoding = Encoding::kGzip;
  PackedMessage packed;
  if (options_.compresses_adds || profile.gzipped.empty()) {
    Packer::Prepared prepared;
    prepared.effort = Effort::kInPassing;
    std::optional<std::string> columns;
    if (options_.compresses_adds) {
      auto latest = packer_.Latest(profile.info.series.service);
      if (!latest.ok()) return latest.status();
      prepared = *std::move(latest);
      columns = SplitColumns(profile.message);
    }
    packed = Packer::Pack(prepared,
                          columns.has_value() ? *columns : profile.message);
    record.payload = packed.payload;
    record.encoding =
        columns.has_value() ? Encoding::kColumns : Encoding::kZstd;
    record.dictionary = packed.dictionary;
  }
  if (static_cast<int64_t>(record.payload.size()) > kMaxPayloadBytes) {
    return absl::InvalidArgumentError("the profile is larger than 1 GiB");
  }
  absl::StatusOr<bool> is_new =
      queue_.Add(record.info, record.message_bytes, EncodeRecord(record));
  if (is_new.ok()) ++(*is_new ? added_ : duplicates_);
  return is_new;
}

absl::Status KeptProfiles::Find(
    const Query& query, absl::FunctionRef<bool(const IndexEntry& entry)> take) {
  return index_->Find(query, take);
}

absl::StatusOr<std::vector<IndexEntry>> KeptProfiles::Get(
    absl::Span<const std::string> ids) {
  return index_->Get(ids);
}

absl::StatusOr<std::vector<Series>> KeptProfiles::FindSeries(
    const Query& query) {
  return index_->FindSeries(query);
}

absl::StatusOr<int64_t> KeptProfiles::CountSeries() {
  return index_->CountSeries();
}

absl::StatusOr<std::string> KeptProfiles::ReadAt(const IndexEntry& entry) {
  const absl::StatusOr<std::string> bytes = segments_->Read(entry.place);
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<Record> record = DecodeRecord(*bytes);
  if (!record.ok()) return record.status();
  if (record->info.id != entry.info.id) {
    return absl::DataLossError("record: of another profile");
  }
  return unpacker_.Unpack(*record);
}

absl::StatusOr<std::string> KeptProfiles::Read(const IndexEntry& entry) {
  absl::StatusOr<std::string> message = ReadAt(entry);
  if (absl::IsNotFound(message.status())) {
    // It may have been packed since the entry was found.
    const std::string id = entry.info.id;
    const absl::StatusOr<std::vector<IndexEntry>> now =
        index_->Get(absl::MakeConstSpan(&id, 1));
    if (!now.ok()) return now.status();
    if (now->empty()) return absl::NotFoundError("the profile was removed");
    if (now->front().place == entry.place) {
      ++damaged_;
      return absl::DataLossError(
          absl::StrCat("segment ", entry.place.segment, " is gone"));
    }
    message = ReadAt(now->front());
  }
  if (absl::IsDataLoss(message.status())) {
    ++damaged_;
    fleet::LogLine("damaged")
        .Add("profile", entry.info.id)
        .Add("segment", entry.place.segment)
        .Add("offset", entry.place.offset)
        .Add("error", std::string(message.status().message()))
        .To(options_.log);
  }
  return message;
}

absl::StatusOr<int64_t> KeptProfiles::Delete(
    absl::Span<const std::string> ids) {
  const absl::StatusOr<std::vector<IndexEntry>> removed = index_->Remove(ids);
  if (!removed.ok()) return removed.status();
  return static_cast<int64_t>(removed->size());
}

absl::StatusOr<StoreStatistics> KeptProfiles::Stats() {
  StoreStatistics statistics;
  const auto uses = index_->ListSegments();
  if (!uses.ok()) return uses.status();
  for (const SegmentUse& use : *uses) statistics.profiles += use.profiles;
  const auto series = index_->CountSeries();
  if (!series.ok()) return series.status();
  statistics.series = *series;
  const absl::Status counted = CountSegments(statistics);
  if (!counted.ok()) return counted;
  statistics.added = added_;
  statistics.duplicates = duplicates_;
  statistics.expired = house_.expired();
  statistics.evicted = house_.evicted();
  statistics.thinned = house_.thinned();
  statistics.damaged = damaged_ + packing_.damaged();
  statistics.commits = queue_.commits();
  return statistics;
}

absl::Status KeptProfiles::CountSegments(StoreStatistics& statistics) {
  const std::lock_guard lock(counting_segments_);
  const absl::Time now = absl::Now();
  if (absl::AbsDuration(now - segments_counted_) >=
      options_.counts_segments_every) {
    const auto segments = segments_->List();
    if (!segments.ok()) return segments.status();
    segments_counted_ = now;
    segment_count_ = static_cast<int64_t>(segments->size());
    segment_bytes_ = 0;
    for (const SegmentInfo& segment : *segments) {
      segment_bytes_ += segment.bytes;
    }
  }
  statistics.segments = segment_count_;
  statistics.segment_bytes = segment_bytes_;
  return absl::OkStatus();
}

absl::Status KeptProfiles::Check() {
  if (absl::Status index = index_->Check(); !index.ok()) return index;
  return segments_->Check();
}

absl::Status KeptProfiles::KeepHouse() {
  const std::lock_guard lock(keeping_house_);
  const absl::StatusOr<bool> leads = index_->Lead(kLeadTerm);
  if (!leads.ok()) return leads.status();
  if (!*leads) return absl::OkStatus();
  absl::Status kept = house_.ApplyRetention();
  // Before packing, which needs room itself.
  if (kept.ok()) kept = house_.ClearAway();
  if (kept.ok()) kept = packing_.Run();
  if (kept.ok()) kept = house_.ClearAway();
  return kept;
}

void KeptProfiles::KeepHouseNowAndThen() {
  // Of this thread alone: whoever adds or reads comes first. Where it cannot be
  // set, packing takes its share.
  [[maybe_unused]] const int set =
      setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kHousePriority);
  std::unique_lock lock(waking_);
  while (!woken_.wait_for(lock,
                          absl::ToChronoNanoseconds(options_.keeps_house_every),
                          [this] { return stopping_.load(); })) {
    lock.unlock();
    const absl::Status kept = KeepHouse();
    if (!kept.ok() && !absl::IsCancelled(kept)) {
      fleet::LogLine("housekeeping_failed")
          .Add("error", std::string(kept.message()))
          .To(options_.log);
    }
    lock.lock();
  }
}

}  // namespace wallprof::store
