#include "profiler/threads/task_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <utility>

namespace wallprof::threads {

TaskDirectory::TaskDirectory(std::string root) : root_(std::move(root)) {}

int TaskDirectory::CountHint() const {
  struct stat status;
  if (stat(root_.c_str(), &status) != 0) return -1;
  return static_cast<int>(status.st_nlink) - 2;
}

bool TaskDirectory::List(std::vector<Tid>& tids) const {
  tids.clear();
  const FileDescriptor directory(
      open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return false;
  // getdents64 rather than opendir: no allocation, no lock of libc's.
  alignas(dirent64) std::array<char, 32 << 10> buffer;
  for (;;) {
    const long n =
        syscall(SYS_getdents64, directory.get(), buffer.data(), buffer.size());
    if (n < 0) return false;
    if (n == 0) return true;
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const dirent64*>(&buffer[at]);
      at += entry->d_reclen;
      Tid tid = 0;
      const char* end = entry->d_name + strlen(entry->d_name);
      const auto [stop, error] = std::from_chars(entry->d_name, end, tid);
      if (error == std::errc() && stop == end) tids.push_back(tid);
    }
  }
}

const char* TaskDirectory::Path(Tid tid, const char* file) {
  snprintf(path_.data(), path_.size(), "%s/%d/%s", root_.c_str(), tid, file);
  return path_.data();
}

FileDescriptor TaskDirectory::Open(Tid tid, const char* file) {
  return FileDescriptor(open(Path(tid, file), O_RDONLY | O_CLOEXEC));
}

}  // namespace wallprof::threads
