#include "fleet/bundle/retention.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "fleet/bundle/identity.h"

namespace wallprof::bundle {
namespace {

namespace fs = std::filesystem;

// A temporary file is locked a moment after it was made; until then it looks
// like one that was left behind.
constexpr absl::Duration kSurelyLocked = absl::Minutes(1);

struct File {
  fs::path path;
  absl::Time time;
  int64_t bytes = 0;
};

std::vector<fs::path> EntriesOf(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator it(directory, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    entries.push_back(it->path());
  }
  return entries;
}

std::vector<fs::path> DirectoriesIn(const fs::path& directory) {
  std::vector<fs::path> directories = EntriesOf(directory);
  directories.erase(std::remove_if(directories.begin(), directories.end(),
                                   [](const fs::path& path) {
                                     struct stat status;
                                     return lstat(path.c_str(), &status) != 0 ||
                                            !S_ISDIR(status.st_mode);
                                   }),
                    directories.end());
  return directories;
}

// The time that a bundle's name tells; nullopt for other names.
std::optional<absl::Time> TimeOfName(absl::string_view name) {
  constexpr size_t kNameBytes = sizeof("2026-01-02T03:04:05.678Z.zip") - 1;
  absl::Time time;
  if (name.size() != kNameBytes || !absl::ConsumeSuffix(&name, "Z.zip") ||
      !absl::ParseTime("%Y-%m-%dT%H:%M:%E3S", name, absl::UTCTimeZone(), &time,
                       nullptr)) {
    return std::nullopt;
  }
  return time;
}

bool IsTemporary(const std::string& name) {
  return absl::StartsWith(name, absl::string_view(kTemporaryPrefix.data(),
                                                  kTemporaryPrefix.size())) &&
         absl::EndsWith(name, absl::string_view(kTemporarySuffix.data(),
                                                kTemporarySuffix.size()));
}

// Whoever writes it holds its lock.
void RemoveIfAbandoned(const fs::path& path, const struct stat& status) {
  const absl::Time written = absl::TimeFromTimespec(status.st_mtim);
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (absl::TimeFromTimespec(now) - written < kSurelyLocked) return;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlink(path.c_str());
  close(fd);
}

void AddBundlesOf(const fs::path& process, std::vector<File>& bundles) {
  for (const fs::path& path : EntriesOf(process)) {
    struct stat status;
    if (lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const std::string name = path.filename();
    if (const std::optional<absl::Time> time = TimeOfName(name)) {
      bundles.push_back({path, *time, static_cast<int64_t>(status.st_size)});
    } else if (IsTemporary(name)) {
      RemoveIfAbandoned(path, status);
    }
  }
}

}  // namespace

int64_t RemoveExpired(const std::string& program_directory,
                      const std::string& newest, const Retention& retention,
                      absl::Time now) {
  std::vector<File> bundles;
  for (const fs::path& host : DirectoriesIn(program_directory)) {
    for (const fs::path& process : DirectoriesIn(host)) {
      if (IsProcessId(process.filename().string())) {
        AddBundlesOf(process, bundles);
      }
    }
  }
  std::sort(bundles.begin(), bundles.end(),
            [](const File& a, const File& b) { return a.time > b.time; });
  int64_t removed = 0;
  int64_t kept_bytes = 0;
  for (const File& bundle : bundles) {
    kept_bytes += bundle.bytes;
    const bool stays =
        bundle.path == newest || (bundle.time >= now - retention.keep_for &&
                                  kept_bytes <= retention.keep_bytes);
    if (stays || unlink(bundle.path.c_str()) != 0) continue;
    kept_bytes -= bundle.bytes;
    ++removed;
    // These fail as long as there is anything inside.
    rmdir(bundle.path.parent_path().c_str());
    rmdir(bundle.path.parent_path().parent_path().c_str());
  }
  return removed;
}

}  // namespace wallprof::bundle
