#include "profiler/capture/file_cache.h"

#include <sys/resource.h>

#include <algorithm>

namespace wallprof::capture {
namespace {

constexpr const char* kNames[] = {"syscall", "schedstat"};

size_t Capacity() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return FileCache::kMaxOpen;
  return std::min<size_t>(FileCache::kMaxOpen, limit.rlim_cur / 4);
}

// More slots than files, so that most hints are right.
constexpr size_t kHints = 4 * FileCache::kMaxOpen;

size_t HintOf(threads::Tid tid, FileCache::File file) {
  return (static_cast<size_t>(tid) * 2 + static_cast<size_t>(file)) % kHints;
}

}  // namespace

FileCache::FileCache(threads::TaskDirectory& tasks)
    : tasks_(tasks), capacity_(Capacity()), hints_(kHints) {
  open_.reserve(capacity_);
}

FileCache::Open* FileCache::Find(threads::Tid tid, File file) {
  const size_t at = hints_[HintOf(tid, file)];
  if (at < open_.size() && open_[at].tid == tid && open_[at].file == file) {
    return &open_[at];
  }
  return nullptr;
}

// A place for one more: new, or that of a file that has gone out of use. One is
// asked each time, in turns; nullptr when that is in use still. (Where more
// files are read in turns than fit, to close the one unused for longest would
// be to close each just before it is read again.)
FileCache::Open* FileCache::MakeRoom(int64_t tick) {
  if (open_.size() < capacity_) return &open_.emplace_back();
  if (open_.empty()) return nullptr;
  if (++hand_ >= open_.size()) hand_ = 0;
  return tick - open_[hand_].used_tick > kUnusedTicks ? &open_[hand_] : nullptr;
}

bool FileCache::Read(threads::Tid tid, File file, int64_t tick,
                     threads::ProcText& text) {
  if (Open* kept = Find(tid, file)) {
    kept->used_tick = tick;
    return text.ReadFrom(kept->descriptor.get());
  }
  threads::FileDescriptor opened =
      tasks_.Open(tid, kNames[static_cast<int>(file)]);
  if (!opened.valid() || !text.ReadFrom(opened.get())) return false;
  if (Open* place = MakeRoom(tick)) {
    *place = {tid, file, tick, std::move(opened)};
    hints_[HintOf(tid, file)] = static_cast<uint16_t>(place - open_.data());
  }
  return true;
}

void FileCache::Forget(threads::Tid tid) {
  for (const File file : {File::kSyscall, File::kSchedStat}) {
    Open* kept = Find(tid, file);
    if (kept == nullptr) continue;
    if (kept != &open_.back()) {
      *kept = std::move(open_.back());
      hints_[HintOf(kept->tid, kept->file)] =
          static_cast<uint16_t>(kept - open_.data());
    }
    open_.pop_back();
  }
}

}  // namespace wallprof::capture
