#include "fleet/agent/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "fleet/agent/clock.h"
#include "fleet/agent/labels.h"

namespace wallprof::agent {
namespace {

namespace fs = std::filesystem;

constexpr char kWaiting[] = "parcel";
constexpr char kUnsure[] = "unsure";
constexpr char kCorrupt[] = "corrupt";
constexpr char kTemporary[] = "tmp";
constexpr char kLock[] = "lock";

// Not for others: profiles tell the program's layout.
constexpr mode_t kFileMode = 0600;

// A service's name is escaped to be a directory's; more would not fit into a
// path.
constexpr size_t kMaxDirectoryName = 200;

// No write takes this long, so that what is left of one is nobody's.
constexpr absl::Duration kTemporaryAge = absl::Minutes(10);

absl::Status SystemError(int error, const std::string& path) {
  return absl::ErrnoToStatus(error, path);
}

// The name of a service as a directory's: never "." or "..", nor with a '/'.
std::string DirectoryName(const std::string& service) {
  std::string name = Escape(service).substr(0, kMaxDirectoryName);
  if (name[0] == '.') name = "%2E" + name.substr(1);
  return name;
}

std::string NewOwner() {
  // The process id is for people; the rest makes it unique.
  std::random_device random;
  return absl::StrFormat("%d_%08x%08x", getpid(), random(), random());
}

std::string NameOf(const SpoolEntry& entry, int64_t number,
                   const std::string& suffix) {
  // Nineteen digits until the year 2286, so that names sort by time.
  return absl::StrFormat("%019d-%s-%08d.%s",
                         absl::ToUnixNanos(entry.created_at), entry.owner,
                         number, suffix);
}

// What NameOf made `name` of; false if it did not.
bool ParseName(const std::string& name, SpoolEntry& entry,
               std::string& suffix) {
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return false;
  suffix = name.substr(dot + 1);
  const std::vector<std::string> parts =
      absl::StrSplit(name.substr(0, dot), '-');
  int64_t time_ns = 0;
  int64_t number = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &time_ns) ||
      parts[1].empty() || !absl::SimpleAtoi(parts[2], &number)) {
    return false;
  }
  entry.name = name;
  entry.owner = parts[1];
  entry.created_at = absl::FromUnixNanos(time_ns);
  entry.unsure = suffix == kUnsure;
  entry.corrupt = suffix == kCorrupt;
  return NameOf(entry, number, suffix) == name;
}

std::string WithSuffix(const std::string& name, const char* suffix) {
  return absl::StrCat(name.substr(0, name.rfind('.') + 1), suffix);
}

absl::Status WriteAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::ErrnoToStatus(errno, "write");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// A rename is only as durable as the directory.
void SyncDirectory(const std::string& directory) {
  const int file = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  fsync(file);
  close(file);
}

// A directory of this user's that nobody else can write to.
absl::Status CheckOwned(const std::string& directory) {
  struct stat status;
  if (lstat(directory.c_str(), &status) != 0) {
    return SystemError(errno, directory);
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        directory, " is not a directory that only this user can write to"));
  }
  return absl::OkStatus();
}

absl::Status Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return SystemError(errno, from);
}

}  // namespace

Spool::Spool(std::string directory, std::string owner)
    : directory_(std::move(directory)), owner_(std::move(owner)) {}

absl::StatusOr<std::unique_ptr<Spool>> Spool::Open(const std::string& dir,
                                                   const std::string& service) {
  const std::string directory = absl::StrCat(dir, "/", DirectoryName(service));
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) return SystemError(error.value(), dir);
  if (mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return SystemError(errno, directory);
  }
  if (absl::Status owned = CheckOwned(directory); !owned.ok()) return owned;
  std::unique_ptr<Spool> spool(new Spool(directory, NewOwner()));
  if (!spool->TakeOver(spool->owner_)) {
    return SystemError(errno, spool->PathOf(spool->owner_));
  }
  return spool;
}

Spool::~Spool() {
  const auto listed = List();
  for (const auto& [owner, lock] : locks_) {
    const bool is_empty =
        listed.ok() && std::none_of(listed->begin(), listed->end(),
                                    [&owner = owner](const SpoolEntry& entry) {
                                      return entry.owner == owner;
                                    });
    if (is_empty) unlink(PathOf(absl::StrCat(owner, ".", kLock)).c_str());
    close(lock);
  }
}

std::string Spool::PathOf(const std::string& name) const {
  return absl::StrCat(directory_, "/", name);
}

absl::Status Spool::WriteTo(const std::string& path, const std::string& bytes,
                            bool durable) const {
  const int file =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (file < 0) return SystemError(errno, path);
  absl::Status written = WriteAll(file, bytes);
  if (written.ok() && durable && fsync(file) != 0) {
    written = absl::ErrnoToStatus(errno, "fsync");
  }
  close(file);
  if (written.ok()) return written;
  unlink(path.c_str());
  return absl::Status(written.code(),
                      absl::StrCat(path, ": ", written.message()));
}

absl::StatusOr<SpoolEntry> Spool::Put(const Parcel& parcel, bool unsure,
                                      bool durable) {
  const std::string bytes = EncodeParcel(parcel);
  SpoolEntry entry;
  entry.owner = owner_;
  entry.created_at = parcel.created_at;
  entry.bytes = static_cast<int64_t>(bytes.size());
  entry.unsure = unsure;
  entry.name = NameOf(entry, ++last_number_, unsure ? kUnsure : kWaiting);
  const std::string temporary = PathOf(WithSuffix(entry.name, kTemporary));
  if (absl::Status written = WriteTo(temporary, bytes, durable);
      !written.ok()) {
    return written;
  }
  if (absl::Status renamed = Rename(temporary, PathOf(entry.name));
      !renamed.ok()) {
    unlink(temporary.c_str());
    return renamed;
  }
  if (durable) SyncDirectory(directory_);
  return entry;
}

absl::StatusOr<Parcel> Spool::Read(const SpoolEntry& entry) const {
  const std::string path = PathOf(entry.name);
  const int file = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return SystemError(errno, path);
  std::string bytes;
  char chunk[1 << 16];
  ssize_t count = 0;
  while ((count = read(file, chunk, sizeof(chunk))) > 0 &&
         bytes.size() <= kMaxParcelBytes) {
    bytes.append(chunk, static_cast<size_t>(count));
  }
  const int error = errno;
  close(file);
  if (count < 0) return SystemError(error, path);
  return DecodeParcel(bytes);
}

absl::Status Spool::SetUnsure(SpoolEntry& entry, bool unsure) const {
  if (entry.unsure == unsure) return absl::OkStatus();
  const std::string name = WithSuffix(entry.name, unsure ? kUnsure : kWaiting);
  if (absl::Status status = Rename(PathOf(entry.name), PathOf(name));
      !status.ok()) {
    return status;
  }
  entry.name = name;
  entry.unsure = unsure;
  return absl::OkStatus();
}

absl::Status Spool::SetCorrupt(SpoolEntry& entry) const {
  const std::string name = WithSuffix(entry.name, kCorrupt);
  if (absl::Status status = Rename(PathOf(entry.name), PathOf(name));
      !status.ok()) {
    return status;
  }
  entry.name = name;
  entry.corrupt = true;
  return absl::OkStatus();
}

absl::Status Spool::Remove(const SpoolEntry& entry) const {
  const std::string path = PathOf(entry.name);
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return SystemError(errno, path);
}

absl::StatusOr<std::vector<SpoolEntry>> Spool::List(
    std::vector<std::string>* foreign) const {
  std::vector<SpoolEntry> entries;
  std::error_code error;
  fs::directory_iterator it(directory_, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename();
    SpoolEntry entry;
    std::string suffix;
    const bool is_ours = ParseName(name, entry, suffix);
    if (is_ours &&
        (suffix == kWaiting || suffix == kUnsure || suffix == kCorrupt)) {
      struct stat status;
      if (stat(it->path().c_str(), &status) != 0) continue;  // was removed
      entry.bytes = static_cast<int64_t>(status.st_size);
      entry.changed_at = absl::TimeFromTimespec(status.st_ctim);
      entries.push_back(std::move(entry));
    } else if (foreign != nullptr && !(is_ours && suffix == kTemporary) &&
               !absl::EndsWith(name, absl::StrCat(".", kLock))) {
      foreign->push_back(name);
    }
  }
  if (error) return SystemError(error.value(), directory_);
  std::sort(
      entries.begin(), entries.end(),
      [](const SpoolEntry& a, const SpoolEntry& b) { return a.name < b.name; });
  return entries;
}

bool Spool::Owns(const SpoolEntry& entry) {
  return locks_.count(entry.owner) != 0 || TakeOver(entry.owner);
}

bool Spool::TakeOver(const std::string& owner) {
  const std::string path = PathOf(absl::StrCat(owner, ".", kLock));
  const int lock =
      open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kFileMode);
  if (lock < 0) return false;
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return false;
  }
  // Whoever had it may have removed the file meanwhile: then another can lock
  // one of the same name.
  struct stat locked;
  struct stat named;
  if (fstat(lock, &locked) != 0 || stat(path.c_str(), &named) != 0 ||
      locked.st_ino != named.st_ino) {
    close(lock);
    return false;
  }
  locks_[owner] = lock;
  return true;
}

void Spool::Tidy(const std::vector<SpoolEntry>& listed) {
  for (auto it = locks_.begin(); it != locks_.end();) {
    const auto& [owner, lock] = *it;
    const bool is_wanted =
        owner == owner_ || std::any_of(listed.begin(), listed.end(),
                                       [&owner = owner](const SpoolEntry& e) {
                                         return e.owner == owner;
                                       });
    if (!is_wanted) {
      unlink(PathOf(absl::StrCat(owner, ".", kLock)).c_str());
      close(lock);
    }
    it = is_wanted ? std::next(it) : locks_.erase(it);
  }
  std::error_code error;
  for (const fs::directory_entry& file :
       fs::directory_iterator(directory_, error)) {
    SpoolEntry entry;
    std::string suffix;
    struct stat status;
    if (ParseName(file.path().filename(), entry, suffix) &&
        suffix == kTemporary && stat(file.path().c_str(), &status) == 0 &&
        absl::Now() - absl::TimeFromTimespec(status.st_mtim) > kTemporaryAge) {
      unlink(file.path().c_str());
    }
  }
}

}  // namespace wallprof::agent
