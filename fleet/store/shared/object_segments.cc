#include "fleet/store/shared/object_segments.h"

#include <sys/random.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/store/profile_info.h"

namespace wallprof::store::shared {
namespace {

constexpr char kPrefix[] = "v1/";

// Beside the segments.
constexpr char kCheckKey[] = "check";

// A request takes S3 some 20 ms before the first byte, in which a connection
// moves much more than a profile; so a read brings along what is behind it,
// which is of about the same time and likely to be read next.
constexpr int64_t kReadAhead = int64_t{256} << 10;
constexpr size_t kCacheBytes = size_t{32} << 20;

constexpr int kListed = 1000;  // keys a request; S3 has no more

// Whoever asks whether a collector is ready asks every few seconds, and waits
// no longer.
constexpr absl::Duration kCheckPatience = absl::Seconds(2);
constexpr absl::Duration kCheckEvery = absl::Seconds(10);

constexpr char kPacked[] = ".packed";
constexpr char kReceived[] = ".received";

// Unique among all collectors, and in the order of time.
std::string NewKey(absl::Time now, SegmentKind kind) {
  char random[16];
  if (getrandom(random, sizeof random, 0) != sizeof random) return "";
  return absl::StrCat(
      kPrefix, absl::FormatTime("%Y/%m/%d/%H/", now, absl::UTCTimeZone()),
      MakeProfileId(now, {random, sizeof random}),
      kind == SegmentKind::kPacked ? kPacked : kReceived);
}

}  // namespace

ObjectSegments::ObjectSegments(std::unique_ptr<ObjectStore> store,
                               std::unique_ptr<ObjectStore> impatient)
    : store_(std::move(store)),
      impatient_(std::move(impatient)),
      cache_(kCacheBytes) {}

absl::StatusOr<std::vector<Place>> ObjectSegments::Write(
    absl::Span<const std::string_view> records, SegmentKind kind) {
  const std::string key = NewKey(absl::Now(), kind);
  if (key.empty()) return absl::UnavailableError("no random bytes");
  size_t bytes = 0;
  for (const std::string_view record : records) bytes += record.size();
  std::string object;
  object.reserve(bytes);
  std::vector<Place> places;
  for (const std::string_view record : records) {
    places.push_back({key, static_cast<int64_t>(object.size()),
                      static_cast<int64_t>(record.size())});
    object += record;
  }
  if (records.empty()) return places;
  if (absl::Status put = store_->Put(key, object); !put.ok()) return put;
  return places;
}

absl::StatusOr<std::string> ObjectSegments::Read(const Place& place) {
  if (place.bytes == 0) return std::string();
  if (std::optional<std::string> kept =
          cache_.Get(place.segment, place.offset, place.bytes)) {
    return *std::move(kept);
  }
  absl::StatusOr<std::string> extent = store_->GetRange(
      place.segment, place.offset, std::max(place.bytes, kReadAhead));
  if (!extent.ok() && !absl::IsOutOfRange(extent.status())) {
    return extent.status();
  }
  if (!extent.ok() || static_cast<int64_t>(extent->size()) < place.bytes) {
    return absl::DataLossError(
        absl::StrCat("segment ", place.segment, " ends before ",
                     place.offset + place.bytes, " bytes"));
  }
  std::string record = extent->substr(0, static_cast<size_t>(place.bytes));
  if (extent->size() > record.size()) {
    cache_.Put(place.segment, place.offset, *std::move(extent));
  }
  return record;
}

absl::Status ObjectSegments::Delete(std::string_view segment) {
  const absl::Status deleted = store_->Delete(segment);
  // What was deleted is not read any more, also where another has done it: the
  // index leads nobody there.
  cache_.Drop(segment);
  return deleted;
}

absl::StatusOr<std::vector<SegmentInfo>> ObjectSegments::List() {
  std::vector<SegmentInfo> segments;
  std::string after;
  for (bool more = true; more;) {
    absl::StatusOr<std::vector<ObjectInfo>> objects =
        store_->List(kPrefix, after, kListed);
    if (!objects.ok()) return objects.status();
    more = objects->size() == kListed;
    for (ObjectInfo& object : *objects) {
      after = object.key;
      const SegmentKind kind = absl::EndsWith(object.key, kPacked)
                                   ? SegmentKind::kPacked
                                   : SegmentKind::kReceived;
      segments.push_back(
          {std::move(object.key), object.bytes, object.modified, kind});
    }
  }
  return segments;
}

absl::Status ObjectSegments::Check() {
  std::lock_guard lock(check_mutex_);
  const absl::Time now = absl::Now();
  if (now - checked_ < kCheckEvery) return absl::OkStatus();
  // Writing is known by nothing else; a full store reads and lists well.
  const absl::Status put = impatient_->Put(
      kCheckKey, "Written now and then, to know whether it can be.\n");
  if (put.ok()) checked_ = now;
  return put;
}

absl::StatusOr<std::unique_ptr<Segments>> MakeObjectSegments(
    std::string_view url) {
  absl::StatusOr<std::unique_ptr<ObjectStore>> store = OpenObjectStore(url);
  if (!store.ok()) return store.status();
  absl::StatusOr<std::unique_ptr<ObjectStore>> impatient = OpenObjectStore(
      url, {.patience = kCheckPatience, .stall = kCheckPatience});
  if (!impatient.ok()) return impatient.status();
  return std::make_unique<ObjectSegments>(*std::move(store),
                                          *std::move(impatient));
}

}  // namespace wallprof::store::shared
