#include "fleet/store/local/repair.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fleet/store/record.h"

namespace wallprof::store::local {
namespace {

namespace fs = std::filesystem;

// Entries that are added at once: a transaction each would take hours for
// millions of profiles.
constexpr size_t kMaxBatch = 4096;

class SegmentRepair {
 public:
  SegmentRepair(const OpenedIndex& opened, SegmentFiles& segments,
                const SegmentInfo& segment, const fleet::LineLog& log)
      : index_(*opened.index),
        is_new_index_(opened.is_new),
        segments_(segments),
        segment_(segment),
        log_(log) {}

  absl::Status Run() {
    const auto known = index_.KnownBytes(segment_.segment);
    if (!known.ok()) return known.status();
    if (segment_.kind == SegmentKind::kPacked && !known->has_value() &&
        !is_new_index_) {
      return DropUnfinished();
    }
    from_ = known->value_or(0);
    if (from_ >= segment_.bytes) return absl::OkStatus();
    const absl::StatusOr<std::string> bytes =
        segments_.Read({segment_.segment, from_, segment_.bytes - from_});
    if (!bytes.ok()) return bytes.status();
    absl::Status status;
    ScanRecords(
        *bytes,
        [&](RecordPlace place, const Record& record) {
          if (status.ok()) status = TakeRecord(place, record);
        },
        [&](RecordPlace place, std::string_view reason) {
          TakeDamage(place, reason);
        });
    if (status.ok()) status = Flush();
    if (status.ok()) status = CutTail();
    if (!status.ok()) return status;
    if (indexed_ > 0 || found_ > 0) {
      fleet::LogLine("indexed")
          .Add("segment", segment_.segment)
          .Add("records", found_)
          .Add("profiles", indexed_)
          .To(log_);
    }
    return index_.SetKnownBytes(segment_.segment, segment_.bytes);
  }

 private:
  // Its records are still where they were before: whoever packs deletes those
  // only once the index has all of the new ones.
  absl::Status DropUnfinished() {
    fleet::LogLine("repaired")
        .Add("segment", segment_.segment)
        .Add("offset", 0)
        .Add("bytes", segment_.bytes)
        .Add("reason", "packing was not finished")
        .To(log_);
    return segments_.Delete(segment_.segment);
  }

  absl::Status TakeRecord(RecordPlace place, const Record& record) {
    ++found_;
    entries_.push_back({record.info,
                        {segment_.segment, from_ + place.offset, place.bytes},
                        record.message_bytes});
    return entries_.size() < kMaxBatch ? absl::OkStatus() : Flush();
  }

  void TakeDamage(RecordPlace place, std::string_view reason) {
    fleet::LogLine("repaired")
        .Add("segment", segment_.segment)
        .Add("offset", from_ + place.offset)
        .Add("bytes", place.bytes)
        .Add("reason", reason)
        .To(log_);
    if (from_ + place.offset + place.bytes == segment_.bytes) {
      rubbish_ = place.bytes;
    }
  }

  absl::Status Flush() {
    const absl::StatusOr<std::vector<bool>> are_new = index_.Add(entries_);
    if (!are_new.ok()) return are_new.status();
    for (const bool is_new : *are_new) indexed_ += is_new;
    entries_.clear();
    return absl::OkStatus();
  }

  absl::Status CutTail() {
    if (rubbish_ == 0) return absl::OkStatus();
    segment_.bytes -= rubbish_;
    return segments_.Truncate(segment_.segment, segment_.bytes);
  }

  LocalIndex& index_;
  const bool is_new_index_;
  SegmentFiles& segments_;
  SegmentInfo segment_;
  const fleet::LineLog& log_;

  int64_t from_ = 0;
  std::vector<IndexEntry> entries_;
  int64_t found_ = 0;
  int64_t indexed_ = 0;
  int64_t rubbish_ = 0;  // bytes at the end
};

absl::Status DropMissing(LocalIndex& index, const std::set<std::string>& there,
                         const fleet::LineLog& log) {
  const absl::StatusOr<std::vector<SegmentUse>> uses = index.ListSegments();
  if (!uses.ok()) return uses.status();
  for (const SegmentUse& use : *uses) {
    if (there.count(use.segment) != 0) continue;
    const absl::StatusOr<int64_t> dropped = index.DropSegment(use.segment);
    if (!dropped.ok()) return dropped.status();
    if (*dropped == 0) continue;
    fleet::LogLine("repaired")
        .Add("segment", use.segment)
        .Add("profiles", *dropped)
        .Add("reason", "the segment is gone")
        .To(log);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OpenedIndex> OpenLocalIndex(const std::string& directory,
                                           const fleet::LineLog& log) {
  const std::string path = absl::StrCat(directory, "/index.sqlite");
  OpenedIndex opened;
  opened.is_new = !fs::exists(path);
  auto index = LocalIndex::Open(directory);
  if (absl::IsDataLoss(index.status())) {
    fleet::LogLine("repaired")
        .Add("file", path)
        .Add("reason", std::string(index.status().message()))
        .To(log);
    std::error_code error;
    fs::rename(path, path + ".damaged", error);
    // What was not yet moved into the file goes with it.
    fs::remove(path + "-wal", error);
    fs::remove(path + "-shm", error);
    opened.is_new = true;
    index = LocalIndex::Open(directory);
  }
  if (!index.ok()) return index.status();
  opened.index = *std::move(index);
  return opened;
}

absl::Status Repair(const OpenedIndex& opened, SegmentFiles& segments,
                    const fleet::LineLog& log) {
  const absl::StatusOr<std::vector<SegmentInfo>> listed = segments.List();
  if (!listed.ok()) return listed.status();
  std::set<std::string> there;
  for (const SegmentInfo& segment : *listed) there.insert(segment.segment);
  // First, so that of a profile in two segments the one that is there counts.
  absl::Status status = DropMissing(*opened.index, there, log);
  for (const SegmentInfo& segment : *listed) {
    if (!status.ok()) return status;
    status = SegmentRepair(opened, segments, segment, log).Run();
  }
  return status;
}

absl::StatusOr<LocalParts> OpenLocalParts(const std::string& directory,
                                          SegmentFileOptions options,
                                          const fleet::LineLog& log) {
  absl::StatusOr<OpenedIndex> opened = OpenLocalIndex(directory, log);
  if (!opened.ok()) return opened.status();
  auto segments =
      SegmentFiles::Open(absl::StrCat(directory, "/segments"), options);
  if (!segments.ok()) return segments.status();
  if (absl::Status repaired = Repair(*opened, **segments, log);
      !repaired.ok()) {
    return repaired;
  }
  return LocalParts{std::move(opened->index), *std::move(segments)};
}

}  // namespace wallprof::store::local
