#include "fleet/store/local/segment_files.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace wallprof::store::local {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kReceived = ".received";
constexpr absl::string_view kPacked = ".packed";

// A profile of a large program; with less room than that, one is refused soon.
constexpr uint64_t kLeastRoom = uint64_t{4} << 20;

// Writes `records` from `offset` on.
absl::Status WriteAt(int file, int64_t offset,
                     absl::Span<const std::string_view> records) {
  size_t first = 0;  // not yet written whole
  size_t done = 0;   // of it
  std::vector<iovec> parts;
  while (first < records.size()) {
    parts.clear();
    for (size_t i = first; i < records.size() && parts.size() < IOV_MAX; ++i) {
      const std::string_view rest = records[i].substr(i == first ? done : 0);
      parts.push_back({const_cast<char*>(rest.data()), rest.size()});
    }
    const ssize_t written =
        pwritev(file, parts.data(), static_cast<int>(parts.size()), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fleet::FileError(errno, "write");
    offset += written;
    done += static_cast<size_t>(written);
    while (first < records.size() && done >= records[first].size()) {
      done -= records[first++].size();
    }
  }
  return absl::OkStatus();
}

}  // namespace

SegmentFiles::SegmentFiles(std::string directory, SegmentFileOptions options)
    : directory_(std::move(directory)), options_(options) {}

absl::StatusOr<std::unique_ptr<SegmentFiles>> SegmentFiles::Open(
    const std::string& directory, SegmentFileOptions options) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return fleet::FileError(error.value(), directory);
  return std::unique_ptr<SegmentFiles>(new SegmentFiles(directory, options));
}

std::string SegmentFiles::PathOf(std::string_view segment) const {
  return absl::StrCat(directory_, "/",
                      absl::string_view(segment.data(), segment.size()));
}

absl::StatusOr<SegmentFiles::Growing> SegmentFiles::Begin(SegmentKind kind) {
  const absl::Time now = absl::Now();
  // A clock that was set back must not lead to a name that is there.
  last_name_ns_ = std::max(last_name_ns_ + 1, absl::ToUnixNanos(now));
  Growing segment;
  // Nineteen digits until the year 2286, so that names sort by time.
  segment.name =
      absl::StrFormat("%019d%s", last_name_ns_,
                      kind == SegmentKind::kPacked ? kPacked : kReceived);
  segment.begun = now;
  absl::StatusOr<fleet::File> file =
      fleet::OpenFile(PathOf(segment.name), O_WRONLY | O_CREAT | O_EXCL);
  if (!file.ok()) return file.status();
  segment.file = *std::move(file);
  if (absl::Status synced = fleet::SyncDirectory(directory_); !synced.ok()) {
    return synced;
  }
  return segment;
}

absl::StatusOr<std::vector<Place>> SegmentFiles::Append(
    Growing& segment, absl::Span<const std::string_view> records) {
  const int file = segment.file.number();
  absl::Status written = WriteAt(file, segment.bytes, records);
  if (written.ok() && fdatasync(file) != 0) {
    written = fleet::FileError(errno, "fdatasync");
  }
  if (!written.ok()) {
    // Where this fails too, what is behind counts as rubbish.
    [[maybe_unused]] const int cut = ftruncate(file, segment.bytes);
    return absl::Status(written.code(),
                        absl::StrCat(segment.name, ": ", written.message()));
  }
  std::vector<Place> places;
  places.reserve(records.size());
  for (const std::string_view record : records) {
    const auto bytes = static_cast<int64_t>(record.size());
    places.push_back({segment.name, segment.bytes, bytes});
    segment.bytes += bytes;
  }
  return places;
}

bool SegmentFiles::IsFull(const Growing& segment) const {
  return segment.bytes >= options_.max_bytes ||
         absl::Now() - segment.begun > options_.max_age;
}

absl::StatusOr<std::vector<Place>> SegmentFiles::Write(
    absl::Span<const std::string_view> records, SegmentKind kind) {
  if (kind == SegmentKind::kPacked) {
    absl::StatusOr<Growing> segment;
    {
      const std::lock_guard lock(mutex_);
      segment = Begin(kind);
    }
    if (!segment.ok()) return segment.status();
    auto places = Append(*segment, records);
    if (!places.ok()) Delete(segment->name).IgnoreError();
    return places;
  }
  const std::lock_guard lock(mutex_);
  if (!growing_.file.is_open() || IsFull(growing_)) {
    growing_ = Growing();
    absl::StatusOr<Growing> begun = Begin(kind);
    if (!begun.ok()) return begun.status();
    growing_ = *std::move(begun);
  }
  auto places = Append(growing_, records);
  // After an error the kernel may take for written what is not: nothing more
  // goes there.
  if (!places.ok()) growing_ = Growing();
  return places;
}

absl::StatusOr<std::string> SegmentFiles::Read(const Place& place) {
  const absl::StatusOr<fleet::File> file =
      fleet::OpenFile(PathOf(place.segment), O_RDONLY);
  if (!file.ok()) return file.status();
  absl::StatusOr<std::string> bytes =
      fleet::ReadAt(file->number(), place.offset, place.bytes);
  if (absl::IsOutOfRange(bytes.status())) {
    return absl::DataLossError(absl::StrCat(place.segment, " is cut short"));
  }
  return bytes;
}

absl::Status SegmentFiles::Delete(std::string_view segment) {
  if (unlink(PathOf(segment).c_str()) == 0 || errno == ENOENT) {
    return absl::OkStatus();
  }
  return fleet::FileError(errno, segment);
}

absl::StatusOr<std::vector<SegmentInfo>> SegmentFiles::List() {
  std::string open;
  {
    const std::lock_guard lock(mutex_);
    if (growing_.file.is_open() && IsFull(growing_)) growing_ = Growing();
    open = growing_.name;
  }
  std::vector<SegmentInfo> segments;
  std::error_code error;
  fs::directory_iterator it(directory_, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    SegmentInfo info;
    info.segment = it->path().filename().string();
    const bool is_packed = absl::EndsWith(info.segment, kPacked);
    if (!is_packed && !absl::EndsWith(info.segment, kReceived)) continue;
    struct stat status;
    if (stat(it->path().c_str(), &status) != 0) continue;  // was deleted
    info.bytes = status.st_size;
    info.modified = absl::TimeFromTimespec(status.st_mtim);
    info.kind = is_packed ? SegmentKind::kPacked : SegmentKind::kReceived;
    // One begun after `open` was read is newer than it.
    info.is_open = !is_packed && (info.segment >= open && !open.empty());
    segments.push_back(std::move(info));
  }
  if (error) return fleet::FileError(error.value(), directory_);
  return segments;
}

absl::Status SegmentFiles::Check() {
  struct statvfs room;
  if (statvfs(directory_.c_str(), &room) != 0) {
    return fleet::FileError(errno, directory_);
  }
  if (uint64_t{room.f_bavail} * room.f_frsize < kLeastRoom) {
    return absl::ResourceExhaustedError(absl::StrCat(
        directory_, ": less than ", kLeastRoom >> 20, " MiB are free"));
  }
  if (access(directory_.c_str(), W_OK) != 0) {
    return fleet::FileError(errno, directory_);
  }
  return absl::OkStatus();
}

absl::Status SegmentFiles::Truncate(std::string_view segment, int64_t bytes) {
  const absl::StatusOr<fleet::File> file =
      fleet::OpenFile(PathOf(segment), O_WRONLY);
  if (!file.ok()) return file.status();
  if (ftruncate(file->number(), bytes) != 0 || fsync(file->number()) != 0) {
    return fleet::FileError(errno, segment);
  }
  return absl::OkStatus();
}

}  // namespace wallprof::store::local
