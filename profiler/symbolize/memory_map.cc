#include "profiler/symbolize/memory_map.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace wallprof::symbolize {
namespace {

struct MappedRange {
  uint64_t start = 0;
  uint64_t limit = 0;
  std::string_view path;
};

// What a line of the map says:
// "7f00-7fff r-xp 00001000 fe:00 332383   /usr/lib/libc.so.6\n"
MappedRange RangeIn(const char* line) {
  MappedRange range;
  int path_at = 0;
  if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n",
                  &range.start, &range.limit, &path_at) != 2 ||
      path_at == 0) {
    return {};
  }
  const std::string_view path = line + path_at;
  range.path = path.substr(0, path.find('\n'));
  return range;
}

// Hands each range of the map to `take` until that returns false.
template <typename Take>
void ForEachRange(const Take& take) {
  // "e": close-on-exec.
  const std::unique_ptr<FILE, decltype(&std::fclose)> map(
      std::fopen("/proc/self/maps", "re"), &std::fclose);
  if (map == nullptr) return;
  char* line = nullptr;
  size_t capacity = 0;
  while (getline(&line, &capacity, map.get()) >= 0 && take(RangeIn(line))) {
  }
  std::free(line);
}

}  // namespace

std::string MappedFile(uint64_t address) {
  std::string path;
  ForEachRange([&](const MappedRange& range) {
    if (address >= range.start && address < range.limit) path = range.path;
    return path.empty();
  });
  return path;
}

std::vector<std::string> MappedFilesNamed(const std::string& name) {
  std::vector<std::string> paths;
  ForEachRange([&](const MappedRange& range) {
    const size_t slash = range.path.rfind('/');
    if (slash != std::string_view::npos &&
        range.path.substr(slash + 1) == name &&
        std::find(paths.begin(), paths.end(), range.path) == paths.end()) {
      paths.emplace_back(range.path);
    }
    return true;
  });
  return paths;
}

}  // namespace wallprof::symbolize
