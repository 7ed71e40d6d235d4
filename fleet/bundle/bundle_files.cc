#include "fleet/bundle/bundle_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wallprof::bundle {
namespace {

namespace fs = std::filesystem;

// Not for others: it tells what the program is doing.
constexpr mode_t kMode = 0600;

// Another process may remove a directory that is still empty.
constexpr int kAttempts = 3;

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", what, " ", path));
}

absl::Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("open", path);
  // Some file systems have nothing to do here, and say so by EINVAL.
  const bool synced = fsync(fd) == 0 || errno == EINVAL;
  const absl::Status status =
      synced ? absl::OkStatus() : SystemError("sync", path);
  close(fd);
  return status;
}

// Makes `path` and what leads there; each that is new lasts.
absl::Status MakeDirectories(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0) {
    return SyncDirectory(fs::path(path).parent_path());
  }
  if (errno == EEXIST) {
    std::error_code error;
    if (fs::is_directory(path, error)) return absl::OkStatus();
    errno = ENOTDIR;
  }
  const std::string parent = fs::path(path).parent_path();
  if (errno != ENOENT || parent == path || parent.empty()) {
    return SystemError("make", path);
  }
  if (absl::Status made = MakeDirectories(parent); !made.ok()) return made;
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) {
    return SystemError("make", path);
  }
  return SyncDirectory(parent);
}

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// A file beside `target`, removed again unless it was renamed to it.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string target) : target_(std::move(target)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  ~TemporaryFile() {
    if (fd_ < 0) return;
    if (!renamed_) unlink(name_.c_str());
    close(fd_);
  }

  absl::Status Create() {
    static std::atomic<int> next_number{0};
    const std::string folder = fs::path(target_).parent_path();
    for (int attempt = 0; fd_ < 0 && attempt < kAttempts; ++attempt) {
      if (absl::Status made = MakeDirectories(folder); !made.ok()) return made;
      name_ = absl::StrCat(folder, "/", std::string(kTemporaryPrefix), getpid(),
                           "-", ++next_number, std::string(kTemporarySuffix));
      fd_ = open(name_.c_str(),
                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kMode);
      if (fd_ < 0 && errno != ENOENT && errno != EEXIST) break;
    }
    if (fd_ < 0) return SystemError("create", name_);
    // Nobody else has it yet; where locks are not to be had, age alone tells
    // what was left behind.
    flock(fd_, LOCK_EX | LOCK_NB);
    return absl::OkStatus();
  }

  absl::Status Write(std::string_view bytes) {
    return WriteAll(fd_, bytes, name_);
  }

  absl::Status Rename() {
    // Without it a crash of the machine could leave the name on half a file.
    if (fsync(fd_) != 0) return SystemError("write", name_);
    if (rename(name_.c_str(), target_.c_str()) != 0) {
      return SystemError("rename to", target_);
    }
    renamed_ = true;
    return SyncDirectory(fs::path(target_).parent_path());
  }

 private:
  const std::string target_;
  std::string name_;
  int fd_ = -1;
  bool renamed_ = false;
};

absl::Status WriteFile(
    const std::string& path,
    const std::function<absl::Status(const BundleSink&)>& write) {
  TemporaryFile file(path);
  if (absl::Status created = file.Create(); !created.ok()) return created;
  absl::Status written =
      write([&](std::string_view bytes) { return file.Write(bytes); });
  return written.ok() ? file.Rename() : written;
}

}  // namespace

BundleFiles::BundleFiles(std::string directory, Retention retention,
                         std::function<absl::Time()> now)
    : directory_(std::move(directory)),
      retention_(retention),
      now_(std::move(now)) {}

absl::Status BundleFiles::Prepare() const {
  if (absl::Status made = MakeDirectories(directory_); !made.ok()) return made;
  if (access(directory_.c_str(), W_OK | X_OK) != 0) {
    return SystemError("write to", directory_);
  }
  return absl::OkStatus();
}

absl::Status BundleFiles::Put(
    const std::string& key,
    const std::function<absl::Status(const BundleSink&)>& write) {
  const std::string path = absl::StrCat(directory_, "/", key);
  absl::Status put = WriteFile(path, write);
  // Room made now is what the next one, or this one's next try, needs.
  removed_ +=
      RemoveExpired(absl::StrCat(directory_, "/", key.substr(0, key.find('/'))),
                    path, retention_, now_());
  return put;
}

}  // namespace wallprof::bundle
