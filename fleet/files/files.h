// Files that are to outlive a power cut.
#ifndef WALLPROF_FLEET_FILES_FILES_H_
#define WALLPROF_FLEET_FILES_FILES_H_

#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace wallprof::fleet {

// A descriptor with an owner.
class File {
 public:
  File() = default;
  explicit File(int number) : number_(number) {}
  File(File&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~File() {
    if (is_open()) close(number_);
  }

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_ = -1;
};

// What `error`, an errno, means to those who keep things in files:
// ResourceExhausted for a full disk or quota and a file that may not grow,
// NotFound, PermissionDenied, else Unavailable. The message begins with `what`.
absl::Status FileError(int error, std::string_view what);

// open(2), close-on-exec; made files are for this user alone, since profiles
// tell a program's layout.
absl::StatusOr<File> OpenFile(const std::string& path, int flags);

// Writes all of `bytes` where the descriptor stands.
absl::Status WriteAll(int file, std::string_view bytes);

// Reads `bytes` at `offset`; OutOfRange if the file ends before.
absl::StatusOr<std::string> ReadAt(int file, int64_t offset, int64_t bytes);

// The whole file.
absl::StatusOr<std::string> ReadWhole(const std::string& path);

// New, renamed and removed names in `directory` last from now on.
absl::Status SyncDirectory(const std::string& directory);

// Makes the file `path` with these bytes, which last from now on; its name need
// not. What cannot be written is not there.
absl::Status WriteSynced(const std::string& path, std::string_view bytes);

// Makes `path` with these bytes, or replaces what it had, so that after a power
// cut it has either all or what it had before. One writer of a path at a time.
absl::Status WriteDurably(const std::string& path, std::string_view bytes);

// Makes `directory` if it is missing, and has it for this process alone for as
// long as the descriptor is open. FailedPrecondition if another process has it.
absl::StatusOr<File> LockDirectory(const std::string& directory);

}  // namespace wallprof::fleet

#endif  // WALLPROF_FLEET_FILES_FILES_H_
