#include "fleet/store/kept_profiles.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/store/payload.h"
#include "fleet/store/record.h"

namespace wallprof::store {

KeptProfiles::KeptProfiles(fleet::File lock, std::unique_ptr<Index> index,
                           std::unique_ptr<Segments> segments,
                           fleet::LineLog log)
    : lock_(std::move(lock)),
      index_(std::move(index)),
      segments_(std::move(segments)),
      log_(std::move(log)),
      unpacker_(*index_),
      queue_(*index_, *segments_) {}

absl::StatusOr<bool> KeptProfiles::Add(const NewProfile& profile) {
  Record record;
  record.info = profile.info;
  record.message_bytes = static_cast<int64_t>(profile.message.size());
  record.payload = profile.gzipped;
  record.encoding = Encoding::kGzip;
  std::string compressed;
  if (profile.gzipped.empty()) {
    compressed = CompressQuickly(profile.message);
    record.payload = compressed;
    record.encoding = Encoding::kZstd;
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
        .To(log_);
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
  const auto segments = segments_->List();
  if (!segments.ok()) return segments.status();
  statistics.segments = static_cast<int64_t>(segments->size());
  for (const SegmentInfo& segment : *segments) {
    statistics.segment_bytes += segment.bytes;
  }
  statistics.added = added_;
  statistics.duplicates = duplicates_;
  statistics.damaged = damaged_;
  statistics.commits = queue_.commits();
  return statistics;
}

absl::Status KeptProfiles::Check() {
  if (absl::Status index = index_->Check(); !index.ok()) return index;
  return segments_->Check();
}

// Deletes the segments that nothing is in.
absl::Status KeptProfiles::KeepHouse() {
  const auto segments = segments_->List();
  if (!segments.ok()) return segments.status();
  queue_.AwaitWritten();
  const auto uses = index_->ListSegments();
  if (!uses.ok()) return uses.status();
  for (const SegmentUse& use : *uses) {
    if (use.profiles > 0) continue;
    bool is_open = false;
    for (const SegmentInfo& segment : *segments) {
      is_open |= segment.segment == use.segment && segment.is_open;
    }
    if (is_open) continue;
    absl::Status deleted = segments_->Delete(use.segment);
    if (deleted.ok()) deleted = index_->ForgetSegment(use.segment);
    if (!deleted.ok()) return deleted;
  }
  return absl::OkStatus();
}

}  // namespace wallprof::store
