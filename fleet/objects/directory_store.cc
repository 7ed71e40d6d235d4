#include "fleet/objects/directory_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "fleet/files/files.h"
#include "fleet/objects/object_url.h"

namespace wallprof::objects {
namespace {

using fleet::File;
using fleet::FileError;

// Profiles tell a program's layout: they are for this user alone.
constexpr mode_t kDirectoryMode = 0700;

// Longer than any write takes.
constexpr absl::Duration kAbandoned = absl::Hours(1);

// A directory's time of change has the steps of the kernel's clock, up to 10
// ms: within one of them it may change again and say the same.
constexpr absl::Duration kClockStep = absl::Milliseconds(100);

// Smaller directories are read again as quickly.
constexpr size_t kWorthKeeping = 1000;

// Of a Put() whose directory is removed again and again by a Delete().
constexpr int kPlacings = 100;

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

absl::Status Check(std::string_view key) {
  if (absl::Status s = CheckKey(key); !s.ok()) return s;
  if (absl::StartsWith(absl::StrCat(View(key), "/"),
                       absl::StrCat(DirectoryStore::kWriting, "/"))) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the key '", View(key), "' is where objects are being written"));
  }
  return absl::OkStatus();
}

absl::Status KeyError(int error, std::string_view key) {
  switch (error) {
    case ENAMETOOLONG:
      return absl::InvalidArgumentError(absl::StrCat(
          "the key '", View(key), "' has a step that is too long for a file"));
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case EEXIST:
      return absl::InvalidArgumentError(
          absl::StrCat("the key '", View(key),
                       "' is below or above that of another "
                       "object, which a directory cannot have"));
    default:
      return FileError(error, key);
  }
}

std::string ParentOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// Makes the directory unless it is there, such that its name lasts.
absl::Status MakeDirectory(const std::string& directory) {
  if (mkdir(directory.c_str(), kDirectoryMode) == 0) {
    const std::string parent = ParentOf(directory);
    return fleet::SyncDirectory(parent.empty() ? "/" : parent);
  }
  return errno == EEXIST ? absl::OkStatus() : KeyError(errno, directory);
}

absl::Status MakeDirectories(const std::string& directory) {
  size_t end = 0;
  do {
    end = directory.find('/', end + 1);
    const absl::Status made = MakeDirectory(directory.substr(0, end));
    if (!made.ok()) return made;
  } while (end != std::string::npos);
  return absl::OkStatus();
}

std::string RandomName() {
  static thread_local std::mt19937_64 random{[] {
    std::random_device device;
    return (uint64_t{device()} << 32) | device();
  }()};
  return absl::StrFormat("%d-%016x", getpid(), random());
}

void RemoveAbandoned(const std::string& writing) {
  DIR* directory = opendir(writing.c_str());
  if (directory == nullptr) return;
  while (const dirent* entry = readdir(directory)) {
    const std::string path = absl::StrCat(writing, "/", entry->d_name);
    struct stat status;
    if (stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
        absl::TimeFromTimespec(status.st_mtim) < absl::Now() - kAbandoned) {
      unlink(path.c_str());
    }
  }
  closedir(directory);
}

bool IsDirectory(const std::string& directory, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK) {
    return entry.d_type == DT_DIR;
  }
  struct stat status;
  return stat(absl::StrCat(directory, "/", entry.d_name).c_str(), &status) ==
             0 &&
         S_ISDIR(status.st_mode);
}

// Sorted. Empty where there is no such directory.
absl::StatusOr<std::vector<std::string>> ReadNames(
    const std::string& directory) {
  std::vector<std::string> names;
  DIR* open = opendir(directory.c_str());
  if (open == nullptr) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    return FileError(errno, directory);
  }
  errno = 0;
  while (const dirent* entry = readdir(open)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") {
      if (IsDirectory(directory, *entry)) name += '/';
      names.push_back(std::move(name));
    }
    errno = 0;
  }
  const int error = errno;
  closedir(open);
  if (error != 0) return FileError(error, directory);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

absl::StatusOr<std::string> ParseDirectoryUrl(std::string_view url) {
  absl::string_view path = View(url);
  const auto wrong = [url](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("object store ", View(url), ": ", what));
  };
  if (!absl::ConsumePrefix(&path, "file://") || !absl::StartsWith(path, "/")) {
    return wrong("must begin with file:/// and a directory");
  }
  if (absl::StrContains(path, '?')) return wrong("takes no parameters");
  while (absl::ConsumeSuffix(&path, "/")) {
  }
  if (path.empty()) return wrong("names no directory");
  return std::string(path);
}

absl::StatusOr<std::unique_ptr<ObjectStore>> DirectoryStore::Open(
    std::string directory) {
  const std::string writing = absl::StrCat(directory, "/", kWriting);
  if (absl::Status s = MakeDirectories(writing); !s.ok()) return s;
  RemoveAbandoned(writing);
  return std::unique_ptr<ObjectStore>(new DirectoryStore(std::move(directory)));
}

std::string DirectoryStore::PathOf(std::string_view key) const {
  return absl::StrCat(directory_, "/", View(key));
}

absl::Status DirectoryStore::Put(std::string_view key, std::string_view bytes) {
  if (absl::Status s = Check(key); !s.ok()) return s;
  const std::string temporary =
      absl::StrCat(directory_, "/", kWriting, "/", RandomName());
  const absl::Status written = fleet::WriteSynced(temporary, bytes);
  if (!written.ok()) return written;
  absl::Status placed = Place(temporary, std::string(key));
  if (!placed.ok()) unlink(temporary.c_str());
  return placed;
}

absl::Status DirectoryStore::Place(const std::string& temporary,
                                   const std::string& key) {
  const std::string path = PathOf(key);
  for (int i = 0; i < kPlacings; ++i) {
    if (rename(temporary.c_str(), path.c_str()) == 0) {
      const absl::Status synced = fleet::SyncDirectory(ParentOf(path));
      // A Delete() has removed the object already, and its directory.
      return absl::IsNotFound(synced) ? absl::OkStatus() : synced;
    }
    if (errno != ENOENT) return KeyError(errno, key);
    absl::Status made = MakeDirectories(ParentOf(path));
    if (!made.ok() && !absl::IsNotFound(made)) return made;
  }
  return absl::UnavailableError(
      absl::StrCat(key, ": its directory does not stay"));
}

absl::StatusOr<DirectoryStore::Object> DirectoryStore::OpenObject(
    std::string_view key) const {
  if (absl::Status s = Check(key); !s.ok()) return s;
  File file(open(PathOf(key).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (!file.is_open() || fstat(file.number(), &status) != 0) {
    if (errno == ENOTDIR) errno = ENOENT;
    return KeyError(errno, key);
  }
  if (!S_ISREG(status.st_mode)) return KeyError(ENOENT, key);
  return Object{std::move(file), status.st_size};
}

absl::StatusOr<std::string> DirectoryStore::Get(std::string_view key,
                                                size_t max_bytes) {
  const absl::StatusOr<Object> object = OpenObject(key);
  if (!object.ok()) return object.status();
  if (static_cast<uint64_t>(object->bytes) > max_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        View(key), " has ", object->bytes, " bytes, more than ", max_bytes));
  }
  return fleet::ReadAt(object->file.number(), 0, object->bytes);
}

absl::StatusOr<std::string> DirectoryStore::GetRange(std::string_view key,
                                                     int64_t offset,
                                                     int64_t bytes) {
  const absl::StatusOr<Object> object = OpenObject(key);
  if (!object.ok()) return object.status();
  if (offset >= object->bytes) {
    return absl::OutOfRangeError(
        absl::StrCat(View(key), " has ", object->bytes, " bytes"));
  }
  return fleet::ReadAt(object->file.number(), offset,
                       std::min(bytes, object->bytes - offset));
}

absl::Status DirectoryStore::Delete(std::string_view key) {
  if (absl::Status s = Check(key); !s.ok()) return s;
  std::string path = PathOf(key);
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) {
      return absl::OkStatus();
    }
    return KeyError(errno, key);
  }
  // Directories that are empty now are no objects, and go too.
  std::string directory = ParentOf(path);
  while (directory.size() > directory_.size() &&
         rmdir(directory.c_str()) == 0) {
    directory = ParentOf(directory);
  }
  const absl::Status synced = fleet::SyncDirectory(directory);
  // Another Delete() has removed it meanwhile, and its name for good.
  return absl::IsNotFound(synced) ? absl::OkStatus() : synced;
}

absl::StatusOr<std::shared_ptr<const DirectoryStore::Names>>
DirectoryStore::NamesIn(const std::string& directory) {
  struct stat status;
  if (stat(directory.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::make_shared<const Names>();
    }
    return FileError(errno, directory);
  }
  const absl::Time changed = absl::TimeFromTimespec(status.st_mtim);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (known_.names != nullptr && known_.directory == directory &&
        known_.changed == changed) {
      return known_.names;
    }
  }
  const absl::Time now = absl::Now();
  absl::StatusOr<Names> names = ReadNames(directory);
  if (!names.ok()) return names.status();
  auto shared = std::make_shared<const Names>(*std::move(names));
  if (shared->size() >= kWorthKeeping && changed < now - kClockStep) {
    const std::lock_guard<std::mutex> lock(mutex_);
    known_ = {directory, changed, shared};
  }
  return shared;
}

// `steps`: the key up to and with its last '/', or empty.
absl::Status DirectoryStore::Collect(const std::string& steps, Page& page) {
  const std::string directory = PathOf(steps.substr(0, steps.rfind('/')));
  const absl::StatusOr<std::shared_ptr<const Names>> names =
      NamesIn(steps.empty() ? directory_ : directory);
  if (!names.ok()) return names.status();
  // The first that is, or has, something after `after`.
  const absl::string_view after = View(page.after);
  auto name = (*names)->begin();
  if (after > steps) {
    if (!absl::StartsWith(after, steps)) return absl::OkStatus();
    const absl::string_view rest = after.substr(steps.size());
    const size_t slash = rest.find('/');
    const absl::string_view step =
        slash == absl::string_view::npos ? rest : rest.substr(0, slash + 1);
    name = std::lower_bound(
        name, (*names)->end(), step,
        [](const std::string& a, absl::string_view b) { return View(a) < b; });
  }
  for (; name != (*names)->end() && page.objects.size() < page.limit; ++name) {
    const std::string key = absl::StrCat(steps, *name);
    const absl::string_view common =
        View(page.prefix).substr(0, std::min(key.size(), page.prefix.size()));
    if (!absl::StartsWith(key, common)) {
      if (View(key) > View(page.prefix)) break;
      continue;
    }
    if (steps.empty() && *name == absl::StrCat(kWriting, "/")) continue;
    if (key.back() == '/') {
      if (absl::Status s = Collect(key, page); !s.ok()) return s;
      continue;
    }
    if (key.size() < page.prefix.size() || View(key) <= after) continue;
    struct stat status;
    if (stat(PathOf(key).c_str(), &status) != 0) continue;  // gone meanwhile
    page.objects.push_back(
        {key, status.st_size, absl::TimeFromTimespec(status.st_mtim)});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ObjectInfo>> DirectoryStore::List(
    std::string_view prefix, std::string_view after, int limit) {
  Page page{prefix, after, static_cast<size_t>(std::max(limit, 1)), {}};
  // No need to look at directories beside the prefix's.
  const size_t slash = prefix.rfind('/');
  const std::string steps(
      slash == std::string_view::npos ? "" : prefix.substr(0, slash + 1));
  if (!steps.empty()) {
    if (absl::Status s = Check(steps.substr(0, slash)); !s.ok()) return s;
  }
  if (absl::Status s = Collect(steps, page); !s.ok()) return s;
  return std::move(page.objects);
}

}  // namespace wallprof::objects
