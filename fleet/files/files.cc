#include "fleet/files/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace wallprof::fleet {
namespace {

constexpr mode_t kFileMode = 0600;

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::Status FileError(int error, std::string_view what) {
  const absl::Status status =
      absl::ErrnoToStatus(error, absl::string_view(what.data(), what.size()));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(status.message());
    case ENOENT:
    case EACCES:
    case EPERM:
    case EROFS:
      return status;
    default:
      return absl::UnavailableError(status.message());
  }
}

absl::StatusOr<File> OpenFile(const std::string& path, int flags) {
  File file(open(path.c_str(), flags | O_CLOEXEC, kFileMode));
  if (!file.is_open()) return FileError(errno, path);
  return file;
}

absl::Status WriteAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError(errno, "write");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAt(int file, int64_t offset, int64_t bytes) {
  std::string text(static_cast<size_t>(bytes), '\0');
  size_t have = 0;
  while (have < text.size()) {
    const ssize_t count = pread(file, text.data() + have, text.size() - have,
                                offset + static_cast<int64_t>(have));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError(errno, "read");
    if (count == 0) return absl::OutOfRangeError("the file ends before");
    have += static_cast<size_t>(count);
  }
  return text;
}

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  const absl::StatusOr<File> file = OpenFile(path, O_RDONLY);
  if (!file.ok()) return file.status();
  struct stat status;
  if (fstat(file->number(), &status) != 0) return FileError(errno, path);
  return ReadAt(file->number(), 0, status.st_size);
}

absl::Status SyncDirectory(const std::string& directory) {
  const absl::StatusOr<File> file = OpenFile(directory, O_RDONLY | O_DIRECTORY);
  if (!file.ok()) return file.status();
  if (fsync(file->number()) != 0) return FileError(errno, directory);
  return absl::OkStatus();
}

absl::Status WriteSynced(const std::string& path, std::string_view bytes) {
  const absl::StatusOr<File> file =
      OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.ok()) return file.status();
  absl::Status written = WriteAll(file->number(), bytes);
  if (written.ok() && fsync(file->number()) != 0) {
    written = FileError(errno, "fsync");
  }
  if (!written.ok()) unlink(path.c_str());
  return written;
}

absl::Status WriteDurably(const std::string& path, std::string_view bytes) {
  const std::string temporary = absl::StrCat(path, ".tmp");
  const absl::Status written = WriteSynced(temporary, bytes);
  if (!written.ok()) return written;
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    return FileError(error, path);
  }
  return SyncDirectory(DirectoryOf(path));
}

absl::StatusOr<File> LockDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return FileError(error.value(), directory);
  absl::StatusOr<File> lock =
      OpenFile(absl::StrCat(directory, "/lock"), O_RDWR | O_CREAT);
  if (!lock.ok()) return lock;
  if (flock(lock->number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FileError(errno, directory);
    return absl::FailedPreconditionError(
        absl::StrCat(directory, " is used by another process"));
  }
  return lock;
}

}  // namespace wallprof::fleet
