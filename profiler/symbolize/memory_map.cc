#include "profiler/symbolize/memory_map.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace wallprof::symbolize {
namespace {

// The path in a line of the map, if the line is that of `address`:
// "7f00-7fff r-xp 00001000 fe:00 332383   /usr/lib/libc.so.6\n"
std::string_view PathIfAt(uint64_t address, const char* line) {
  uint64_t start = 0;
  uint64_t limit = 0;
  int path_at = 0;
  if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &start,
                  &limit, &path_at) != 2 ||
      address < start || address >= limit || path_at == 0) {
    return {};
  }
  const std::string_view path = line + path_at;
  return path.substr(0, path.find('\n'));
}

}  // namespace

std::string MappedFile(uint64_t address) {
  // "e": close-on-exec.
  const std::unique_ptr<FILE, decltype(&std::fclose)> map(
      std::fopen("/proc/self/maps", "re"), &std::fclose);
  if (map == nullptr) return "";
  char* line = nullptr;
  size_t capacity = 0;
  std::string path;
  while (path.empty() && getline(&line, &capacity, map.get()) >= 0) {
    path = PathIfAt(address, line);
  }
  std::free(line);
  return path;
}

}  // namespace wallprof::symbolize
