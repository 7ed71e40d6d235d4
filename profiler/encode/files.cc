#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

// As open(2) and the umask make of it for any new file.
constexpr mode_t kMode = 0666;

absl::Status SystemError(absl::string_view what, std::string_view path) {
  return absl::ErrnoToStatus(
      errno, absl::StrCat("cannot ", what, " ",
                          absl::string_view(path.data(), path.size())));
}

absl::Status WriteAll(int fd, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path);
    bytes.remove_prefix(written);
  }
  return absl::OkStatus();
}

// A device or a pipe, which a rename would replace by a file.
bool IsStream(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) &&
         !S_ISDIR(status.st_mode);
}

absl::Status WriteStream(std::string_view bytes, const std::string& path) {
  int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return SystemError("open", path);
  absl::Status status = WriteAll(fd, bytes, path);
  close(fd);
  return status;
}

// A new file beside `path`, removed again unless it was renamed to it.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : target_(std::move(path)) {}

  ~TemporaryFile() {
    if (fd_ >= 0) close(fd_);
    if (fd_ >= 0 && !renamed_) unlink(name_.c_str());
  }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  absl::Status Create() {
    // Numbered, as threads of one process may write the same file at once.
    static std::atomic<int> next_number{0};
    // npos + 1 is 0: a name without folders is in the working directory.
    std::string folder = target_.substr(0, target_.rfind('/') + 1);
    do {
      name_ = absl::StrCat(folder, ".wallprof-", getpid(), "-", ++next_number);
      fd_ = open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
    } while (fd_ < 0 && errno == EEXIST);
    if (fd_ < 0) return SystemError("create a file beside", target_);
    return absl::OkStatus();
  }

  absl::Status Write(std::string_view bytes) {
    absl::Status status = WriteAll(fd_, bytes, target_);
    // Without it a crash of the machine could leave the new name on an empty
    // file.
    if (status.ok() && fsync(fd_) != 0) status = SystemError("write", target_);
    return status;
  }

  absl::Status Rename() {
    if (rename(name_.c_str(), target_.c_str()) != 0) {
      return SystemError("replace", target_);
    }
    renamed_ = true;
    return absl::OkStatus();
  }

 private:
  std::string target_;
  std::string name_;
  int fd_ = -1;
  bool renamed_ = false;
};

}  // namespace

absl::Status WriteFile(const Profile& profile, std::string_view path) {
  std::optional<Format> format = FormatOfPath(path);
  if (!format) {
    return absl::InvalidArgumentError(
        absl::StrCat(absl::string_view(path.data(), path.size()),
                     ": the suffix is none of ", kFormatSuffixes));
  }
  return WriteFile(profile, path, *format);
}

absl::Status WriteFile(const Profile& profile, std::string_view path,
                       Format format, const FoldedOptions& folded) {
  return WriteBytes(Encode(profile, format, folded), path);
}

absl::Status WriteBytes(std::string_view bytes, std::string_view path) {
  std::string target(path);
  if (IsStream(target)) return WriteStream(bytes, target);
  TemporaryFile file(target);
  absl::Status status = file.Create();
  if (status.ok()) status = file.Write(bytes);
  if (status.ok()) status = file.Rename();
  return status;
}

}  // namespace wallprof
