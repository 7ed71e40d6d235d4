#include "profiler/symbolize/jit_dump.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "profiler/symbolize/memory_map.h"
#include "profiler/symbolize/process_start.h"
#include "profiler/symbolize/regular_file.h"

namespace wallprof::symbolize {
namespace {

// The format, as tools/perf/Documentation/jitdump-specification.txt of Linux
// has it.
struct Header {
  uint32_t magic;
  uint32_t version;
  uint32_t size;
  uint32_t machine;
  uint32_t padding;
  uint32_t pid;
  uint64_t time;
  uint64_t flags;
};
constexpr uint32_t kMagic = 0x4a695444;
constexpr uint32_t kVersion = 1;

struct Record {
  uint32_t kind;
  uint32_t size;  // this included
  uint64_t time;
};
constexpr uint32_t kLoad = 0;
constexpr uint32_t kMove = 1;
constexpr uint32_t kDebugInfo = 2;

// Followed by the name, a zero byte and the code.
struct Load {
  uint32_t pid;
  uint32_t tid;
  uint64_t virtual_address;
  uint64_t begin;
  uint64_t size;
  uint64_t index;
};

struct Move {
  uint32_t pid;
  uint32_t tid;
  uint64_t virtual_address;
  uint64_t from;
  uint64_t to;
  uint64_t size;
  uint64_t index;
};

// Followed by its entries, each with the file's name and a zero byte. Precedes
// the code that it is of.
struct DebugInfo {
  uint64_t begin;
  uint64_t count;
};
struct DebugEntry {
  uint64_t address;
  int32_t line;
  int32_t discriminator;
};
// In place of a name: the one of the entry before.
constexpr std::string_view kSameFile = "\xff";

// Longer names are cut.
constexpr size_t kLongestName = 4096;

// Read at a time: most code is shorter, so that few calls read all records.
constexpr size_t kWindow = 64 << 10;

// Compilers that move code are few, and each look at an address costs a step
// for each of them. What was moved before that has no names.
constexpr size_t kMostMoves = 4096;

// A file, read in order.
class Window {
 public:
  Window(int fd, uint64_t size) : fd_(fd), size_(size), bytes_(kWindow, '\0') {}

  uint64_t size() const { return size_; }

  // Up to `size` bytes (at most kWindow) from `offset` on: fewer at the end.
  std::string_view At(uint64_t offset, size_t size) {
    if (offset >= size_) return {};
    size = std::min<uint64_t>(size, size_ - offset);
    if (offset < start_ || offset + size > start_ + held_) {
      start_ = offset;
      held_ = ReadAt(fd_, offset, std::min<uint64_t>(kWindow, size_ - offset),
                     bytes_.data());
    }
    return std::string_view(bytes_.data(), held_).substr(offset - start_, size);
  }

  template <typename T>
  std::optional<T> Get(uint64_t offset) {
    const std::string_view bytes = At(offset, sizeof(T));
    if (bytes.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  // Up to a zero byte, which must come before `end`.
  std::optional<std::string> Text(uint64_t offset, uint64_t end) {
    const std::string_view bytes = At(
        offset, std::min<uint64_t>(kLongestName, end - std::min(offset, end)));
    const size_t length = bytes.find('\0');
    if (length == std::string_view::npos && bytes.size() < kLongestName) {
      return std::nullopt;
    }
    return std::string(bytes.substr(0, length));
  }

 private:
  const int fd_;
  const uint64_t size_;
  std::string bytes_;
  uint64_t start_ = 0;
  size_t held_ = 0;
};

// An address that is asked for, and the part of the file that can tell of it.
// Code that was moved there is told of further ahead, by its earlier address.
struct Wanted {
  uint64_t address;
  uint64_t begin;
  uint64_t end;
  size_t index;  // of the answer
  size_t age;    // moves since
};

// Where the code that covers a wanted address is told.
struct Place {
  uint64_t record = 0;
  uint64_t debug_info = 0;  // 0: none
};

bool Inside(uint64_t address, uint64_t begin, uint64_t size) {
  return address >= begin && address - begin < size;
}

class Dump {
 public:
  Dump(int fd, uint64_t size) : file_(fd, size) {}

  std::vector<FoundFrame> Find(const std::vector<uint64_t>& addresses) {
    std::vector<FoundFrame> frames(addresses.size(), FoundFrame{"", false});
    const auto header = file_.Get<Header>(0);
    if (!header.has_value() || header->magic != kMagic ||
        header->version != kVersion || header->machine != EM_X86_64 ||
        header->pid != static_cast<uint32_t>(getpid())) {
      return frames;
    }
    first_ = std::max<uint64_t>(header->size, sizeof *header);
    ForEachRecord([this](const Record& record, uint64_t at) {
      if (record.kind == kMove) TakeMove(at);
    });
    Want(addresses);
    places_.resize(wanted_.size());
    ForEachRecord([this](const Record& record, uint64_t at) {
      if (record.kind == kLoad) TakeLoad(at);
      if (record.kind == kDebugInfo) TakeDebugInfo(at);
    });
    std::vector<size_t> age(addresses.size(),
                            std::numeric_limits<size_t>::max());
    for (size_t i = 0; i < wanted_.size(); ++i) {
      const Wanted& wanted = wanted_[i];
      if (places_[i].record == 0 || wanted.age >= age[wanted.index]) continue;
      age[wanted.index] = wanted.age;
      frames[wanted.index] = FrameAt(places_[i], wanted.address);
    }
    return frames;
  }

 private:
  template <typename Take>
  void ForEachRecord(const Take& take) {
    for (uint64_t at = first_; at < file_.size();) {
      const auto record = file_.Get<Record>(at);
      if (!record.has_value() || record->size < sizeof *record) return;
      take(*record, at);
      at += record->size;
    }
  }

  void TakeMove(uint64_t at) {
    const auto move = file_.Get<Move>(at + sizeof(Record));
    if (!move.has_value()) return;
    if (moves_.size() == kMostMoves) moves_.erase(moves_.begin());
    moves_.push_back({at, *move});
  }

  void Want(const std::vector<uint64_t>& addresses) {
    for (size_t i = 0; i < addresses.size(); ++i) {
      Wanted wanted = {addresses[i], 0, file_.size(), i, 0};
      wanted_.push_back(wanted);
      for (auto moved = moves_.rbegin(); moved != moves_.rend(); ++moved) {
        const auto& [at, move] = *moved;
        if (!Inside(wanted.address, move.to, move.size)) continue;
        wanted_.back().begin = at;
        wanted.address += move.from - move.to;
        wanted.end = at;
        ++wanted.age;
        wanted_.push_back(wanted);
      }
    }
    std::sort(
        wanted_.begin(), wanted_.end(),
        [](const Wanted& a, const Wanted& b) { return a.address < b.address; });
  }

  void TakeDebugInfo(uint64_t at) {
    const auto info = file_.Get<DebugInfo>(at + sizeof(Record));
    if (info.has_value()) debug_info_ = {at, info->begin};
  }

  void TakeLoad(uint64_t at) {
    const auto load = file_.Get<Load>(at + sizeof(Record));
    if (!load.has_value()) return;
    const bool has_lines = debug_info_.second == load->begin;
    auto next = std::lower_bound(
        wanted_.begin(), wanted_.end(), load->begin,
        [](const Wanted& a, uint64_t begin) { return a.address < begin; });
    for (; next != wanted_.end() &&
           Inside(next->address, load->begin, load->size);
         ++next) {
      if (at < next->begin || at >= next->end) continue;
      places_[next - wanted_.begin()] = {at, has_lines ? debug_info_.first : 0};
    }
    debug_info_ = {};
  }

  FoundFrame FrameAt(const Place& place, uint64_t address) {
    FoundFrame frame;
    frame.found = false;
    const auto record = file_.Get<Record>(place.record);
    if (!record.has_value()) return frame;
    const auto name = file_.Text(place.record + sizeof(Record) + sizeof(Load),
                                 place.record + record->size);
    if (!name.has_value() || name->empty()) return frame;
    frame.system_name = *name;
    frame.found = true;
    if (place.debug_info != 0) TakeLine(place.debug_info, address, frame);
    return frame;
  }

  // Of the entries the last at or below the address holds; they are in order.
  void TakeLine(uint64_t at, uint64_t address, FoundFrame& frame) {
    const auto record = file_.Get<Record>(at);
    const auto info = file_.Get<DebugInfo>(at + sizeof(Record));
    if (!record.has_value() || !info.has_value()) return;
    const uint64_t end = at + record->size;
    at += sizeof(Record) + sizeof(DebugInfo);
    std::string file;
    for (uint64_t i = 0; i < info->count && at < end; ++i) {
      const auto entry = file_.Get<DebugEntry>(at);
      const auto name = file_.Text(at + sizeof(DebugEntry), end);
      if (!entry.has_value() || !name.has_value() || entry->address > address) {
        return;
      }
      at += sizeof(DebugEntry) + name->size() + 1;
      if (*name != kSameFile) file = *name;
      frame.filename = file;
      frame.line = std::max(0, entry->line);
    }
  }

  Window file_;
  uint64_t first_ = 0;  // record
  std::vector<std::pair<uint64_t, Move>> moves_;
  std::vector<Wanted> wanted_;  // by address
  std::vector<Place> places_;   // by index in `wanted_`
  std::pair<uint64_t, uint64_t> debug_info_ =
      {};  // the last: where, of what code
};

// Appends `path` if it is a file that this process can have written.
void AddIfOwn(const std::filesystem::path& path,
              std::vector<std::string>& paths) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0 ||
      status.st_mtime < ProcessStartSeconds() ||
      std::find(paths.begin(), paths.end(), path) != paths.end()) {
    return;
  }
  paths.push_back(path);
}

}  // namespace

std::vector<std::string> FindJitDumps() {
  const std::string name = absl::StrCat("jit-", getpid(), ".dump");
  std::vector<std::string> paths = MappedFilesNamed(name);
  AddIfOwn("/tmp/" + name, paths);
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return paths;
  std::error_code error;
  for (std::filesystem::directory_iterator
           entry(std::filesystem::path(home) / ".debug" / "jit", error),
       end;
       !error && entry != end; entry.increment(error)) {
    AddIfOwn(entry->path() / name, paths);
  }
  return paths;
}

std::vector<FoundFrame> ReadJitDump(const std::string& path,
                                    const std::vector<uint64_t>& addresses) {
  std::vector<FoundFrame> nothing(addresses.size(), FoundFrame{"", false});
  const absl::StatusOr<int> fd = OpenRegularFile(path);
  if (!fd.ok()) return nothing;
  struct stat status;
  const bool trusted = fstat(*fd, &status) == 0 &&
                       (status.st_uid == geteuid() || status.st_uid == 0);
  std::vector<FoundFrame> frames =
      trusted ? Dump(*fd, std::min<uint64_t>(status.st_size, kMaxJitDumpBytes))
                    .Find(addresses)
              : nothing;
  close(*fd);
  return frames;
}

}  // namespace wallprof::symbolize
