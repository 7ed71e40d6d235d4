#include "profiler/symbolize/perf_map.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "profiler/symbolize/process_start.h"
#include "profiler/symbolize/regular_file.h"

namespace wallprof::symbolize {
namespace {

// A line: "7f0012340000 1c0 LazyCompile:*serve". The name may have blanks.
struct Entry {
  uint64_t begin = 0;
  uint64_t size = 0;
  std::string_view name;
};

bool TakeNumber(std::string_view& line, uint64_t& number) {
  const auto [end, error] =
      std::from_chars(line.data(), line.data() + line.size(), number, 16);
  if (error != std::errc() || end == line.data() + line.size() || *end != ' ') {
    return false;
  }
  line.remove_prefix(end + 1 - line.data());
  return true;
}

bool ParseEntry(std::string_view line, Entry& entry) {
  // Some write the prefix.
  if (line.substr(0, 2) == "0x") line.remove_prefix(2);
  if (!TakeNumber(line, entry.begin) || !TakeNumber(line, entry.size)) {
    return false;
  }
  entry.name = line;
  return !line.empty();
}

// The end of the file, at most kMaxPerfMapBytes; empty if it is not to be
// trusted, or was last written before `begin`.
std::string ReadEnd(const std::string& path, int64_t begin) {
  const absl::StatusOr<int> fd = OpenRegularFile(path);
  if (!fd.ok()) return "";
  std::string text;
  struct stat status;
  if (fstat(*fd, &status) == 0 && status.st_mtime >= begin &&
      (status.st_uid == geteuid() || status.st_uid == 0)) {
    const size_t size = static_cast<size_t>(status.st_size);
    text.resize(std::min(size, kMaxPerfMapBytes));
    text.resize(ReadAt(*fd, size - text.size(), text.size(), text.data()));
  }
  close(*fd);
  return text;
}

}  // namespace

std::vector<std::string> ReadPerfMap(const std::string& path,
                                     const std::vector<uint64_t>& addresses) {
  const std::string text =
      path.empty() ? ReadEnd(absl::StrCat("/tmp/perf-", getpid(), ".map"),
                             ProcessStartSeconds())
                   : ReadEnd(path, /*begin=*/0);
  std::vector<std::pair<uint64_t, size_t>> sorted;
  for (size_t i = 0; i < addresses.size(); ++i) {
    sorted.push_back({addresses[i], i});
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> names(addresses.size());
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    Entry entry;
    if (!ParseEntry(line, entry)) continue;
    for (auto at = std::lower_bound(sorted.begin(), sorted.end(),
                                    std::pair(entry.begin, size_t{0}));
         at != sorted.end() && at->first - entry.begin < entry.size; ++at) {
      names[at->second] = std::string(entry.name);
    }
  }
  return names;
}

}  // namespace wallprof::symbolize
