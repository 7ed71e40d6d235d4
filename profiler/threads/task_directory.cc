#include "profiler/threads/task_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace wallprof::threads {

TaskDirectory::TaskDirectory(std::string root) : root_(std::move(root)) {}

int TaskDirectory::directory() const {
  if (!directory_.valid()) {
    directory_ =
        FileDescriptor(open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  return directory_.get();
}

int TaskDirectory::CountHint() const {
  struct stat status;
  if (fstat(directory(), &status) != 0) return -1;
  return static_cast<int>(status.st_nlink) - 2;
}

bool TaskDirectory::List(std::vector<Tid>& tids) const {
  tids.clear();
  if (lseek(directory(), 0, SEEK_SET) != 0) return false;
  // getdents64 rather than opendir: no allocation, no lock of libc's.
  alignas(dirent64) std::array<char, 32 << 10> buffer;
  for (;;) {
    const long n =
        syscall(SYS_getdents64, directory_.get(), buffer.data(), buffer.size());
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

FileDescriptor TaskDirectory::Open(Tid tid, const char* file) const {
  std::array<char, 64> path;
  snprintf(path.data(), path.size(), "%d/%s", tid, file);
  return FileDescriptor(openat(directory(), path.data(), O_RDONLY | O_CLOEXEC));
}

bool TaskDirectory::Read(Tid tid, const char* file, ProcText& text) const {
  const FileDescriptor opened = Open(tid, file);
  return opened.valid() && text.ReadFrom(opened.get());
}

}  // namespace wallprof::threads
