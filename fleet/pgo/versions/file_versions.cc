#include "fleet/pgo/versions/file_versions.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "fleet/files/files.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {
namespace {

using fleet::File;

// Records tell what there is to profiles: they are for this user alone.
constexpr mode_t kDirectoryMode = 0700;

constexpr char kLock[] = ".lock";  // no application's name

// Whoever has the lock writes a few bytes. One that was stopped meanwhile is
// not waited for without end.
constexpr absl::Duration kLockPatience = absl::Seconds(10);
constexpr absl::Duration kLockPause = absl::Milliseconds(2);

absl::StatusOr<File> Lock(const std::string& directory) {
  absl::StatusOr<File> file =
      fleet::OpenFile(absl::StrCat(directory, "/", kLock), O_RDWR | O_CREAT);
  if (!file.ok()) return file;
  const absl::Time until = absl::Now() + kLockPatience;
  while (flock(file->number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return fleet::FileError(errno, directory);
    }
    if (absl::Now() > until) {
      return absl::UnavailableError(
          absl::StrCat(directory, ": another process holds the lock"));
    }
    absl::SleepFor(kLockPause);
  }
  return file;
}

// The revision on a line, and the record.
absl::StatusOr<BaseVersion> Read(const std::string& path) {
  const absl::StatusOr<std::string> text = fleet::ReadWhole(path);
  if (absl::IsNotFound(text.status())) return BaseVersion{};
  if (!text.ok()) return text.status();
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(*text, absl::MaxSplits('\n', 1));
  BaseVersion version;
  if (!absl::SimpleAtoi(parts.first, &version.revision) ||
      version.revision == 0) {
    return absl::DataLossError(
        absl::StrCat(path, ": does not begin with a revision"));
  }
  version.record = parts.second;
  return version;
}

}  // namespace

absl::StatusOr<std::unique_ptr<BaseVersions>> FileVersions::Open(
    std::string directory) {
  for (size_t end = directory.find('/', 1);;
       end = directory.find('/', end + 1)) {
    const std::string above = directory.substr(0, end);
    if (mkdir(above.c_str(), kDirectoryMode) == 0) {
      // Its name must last as long as the records.
      const size_t slash = above.rfind('/');
      const absl::Status synced = fleet::SyncDirectory(
          slash == 0
              ? "/"
              : (slash == std::string::npos ? "." : above.substr(0, slash)));
      if (!synced.ok()) return synced;
    } else if (errno != EEXIST) {
      return fleet::FileError(errno, above);
    }
    if (end == std::string::npos) break;
  }
  std::unique_ptr<BaseVersions> versions(
      new FileVersions(std::move(directory)));
  if (absl::Status s = versions->Check(); !s.ok()) return s;
  return versions;
}

absl::StatusOr<BaseVersion> FileVersions::Get(std::string_view app) {
  if (absl::Status s = CheckApp(app); !s.ok()) return s;
  return Read(
      absl::StrCat(directory_, "/", absl::string_view(app.data(), app.size())));
}

absl::StatusOr<uint64_t> FileVersions::Replace(std::string_view app,
                                               uint64_t revision,
                                               std::string_view record) {
  if (absl::Status s = CheckReplacement(app, record); !s.ok()) return s;
  const absl::StatusOr<File> lock = Lock(directory_);
  if (!lock.ok()) return lock.status();
  const std::string path =
      absl::StrCat(directory_, "/", absl::string_view(app.data(), app.size()));
  const absl::StatusOr<BaseVersion> now = Read(path);
  if (!now.ok()) return now.status();
  if (now->revision != revision) {
    return absl::AbortedError(
        absl::StrCat(path, ": has been replaced meanwhile"));
  }
  const absl::Status written = fleet::WriteDurably(
      path, absl::StrCat(revision + 1, "\n",
                         absl::string_view(record.data(), record.size())));
  if (!written.ok()) return written;
  return revision + 1;
}

absl::StatusOr<std::vector<std::pair<std::string, BaseVersion>>>
FileVersions::List() {
  std::vector<std::string> apps;
  DIR* directory = opendir(directory_.c_str());
  if (directory == nullptr) return fleet::FileError(errno, directory_);
  while (const dirent* entry = readdir(directory)) {
    if (CheckApp(entry->d_name).ok()) apps.emplace_back(entry->d_name);
  }
  closedir(directory);
  std::sort(apps.begin(), apps.end());
  std::vector<std::pair<std::string, BaseVersion>> versions;
  for (std::string& app : apps) {
    absl::StatusOr<BaseVersion> version = Get(app);
    if (!version.ok()) return version.status();
    if (version->record.empty()) continue;
    versions.emplace_back(std::move(app), *std::move(version));
  }
  return versions;
}

absl::Status FileVersions::Check() {
  if (access(directory_.c_str(), R_OK | W_OK | X_OK) != 0) {
    return fleet::FileError(errno, directory_);
  }
  return absl::OkStatus();
}

}  // namespace wallprof::pgo
