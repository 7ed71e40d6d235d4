#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "profiler/record/spool.h"

namespace wallprof::record {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kPrefix = "wallprof-";
constexpr absl::string_view kSuffix = ".spool";

absl::Status SystemError(const std::error_code& error,
                         const std::string& path) {
  return absl::ErrnoToStatus(error.value(), path);
}

// The spool's files, the oldest first.
absl::StatusOr<std::vector<fs::path>> FilesOf(const std::string& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator it(directory, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename();
    if (absl::StartsWith(name, kPrefix) && absl::EndsWith(name, kSuffix)) {
      files.push_back(it->path());
    }
  }
  if (error) return SystemError(error, "reading the directory");
  std::sort(files.begin(), files.end());
  return files;
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

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<SpoolFile>>> ReadSpool(
    const std::string& directory, std::vector<std::string>& problems) {
  const absl::StatusOr<std::vector<fs::path>> paths = FilesOf(directory);
  if (!paths.ok()) return paths.status();
  if (paths->empty()) {
    return absl::NotFoundError("nothing was recorded in this directory");
  }
  std::vector<std::unique_ptr<SpoolFile>> files;
  for (const fs::path& path : *paths) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)),
                            std::istreambuf_iterator<char>());
    if (!in) {
      problems.push_back(absl::StrCat(path.string(), ": cannot be read"));
      continue;
    }
    files.push_back(DecodeSpool(bytes, path.string(), problems));
  }
  return files;
}

SpoolWriter::SpoolWriter(std::string directory, int64_t max_bytes)
    : directory_(std::move(directory)), max_bytes_(max_bytes) {}

absl::Status SpoolWriter::Append(std::string_view payload, bool fresh,
                                 int64_t wall_ns) {
  // One that nothing could be written to is as good as new.
  if (fresh && size_ > 0) file_.Close();
  if (!file_.valid()) {
    if (absl::Status opened = Open(wall_ns); !opened.ok()) return opened;
  }
  const std::string record = FrameRecord(payload);
  if (absl::Status written = WriteAll(file_.get(), record); !written.ok()) {
    // Where this fails too, readers find half a record and leave it out.
    [[maybe_unused]] const int truncated = ftruncate(file_.get(), size_);
    return absl::Status(written.code(),
                        absl::StrCat(path_, ": ", written.message()));
  }
  size_ += static_cast<int64_t>(record.size());
  return absl::OkStatus();
}

absl::Status SpoolWriter::Open(int64_t wall_ns) {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) return SystemError(error, directory_);
  RemoveOldest();
  // Nineteen digits until the year 2286, so that names sort by time.
  path_ = absl::StrFormat("%s/%s%019d-%d%s", directory_, kPrefix, wall_ns,
                          getpid(), kSuffix);
  // Not for others: it tells the program's layout.
  file_ = threads::FileDescriptor(
      open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file_.valid()) return absl::ErrnoToStatus(errno, path_);
  size_ = 0;
  return absl::OkStatus();
}

// Makes room for one more file.
void SpoolWriter::RemoveOldest() {
  const absl::StatusOr<std::vector<fs::path>> paths = FilesOf(directory_);
  if (!paths.ok()) return;
  int64_t total = max_bytes_ / kFilesInBudget;
  for (auto path = paths->rbegin(); path != paths->rend(); ++path) {
    std::error_code error;
    const auto size = static_cast<int64_t>(fs::file_size(*path, error));
    if (error) continue;
    total += size;
    if (total > max_bytes_) fs::remove(*path, error);
  }
}

}  // namespace wallprof::record
