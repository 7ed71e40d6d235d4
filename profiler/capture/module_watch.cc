#include "profiler/capture/module_watch.h"

#include <string_view>

#include "profiler/threads/clock.h"
#include "profiler/unwind/module_map.h"

namespace wallprof::capture {
namespace {

// Reading the maps of a process with thousands of threads takes milliseconds;
// not more than this share of the time goes into it.
constexpr int64_t kMapsCostShare = 50;

// Where the loader's count was not found, maps are compared this often.
constexpr int64_t kCompareMapsNs = 500'000'000;

// Of the lines with code, which are those that modules are told from.
size_t HashOfCode(const std::string& maps) {
  size_t hash = 0;
  for (const unwind::MapsEntry& entry : unwind::ParseMaps(maps)) {
    if (!entry.executable) continue;
    hash = hash * 31 + std::hash<uint64_t>()(entry.start ^ entry.inode);
    hash = hash * 31 + std::hash<std::string_view>()(entry.path);
  }
  return hash;
}

}  // namespace

std::string ModuleWatch::ReadMaps() {
  const int64_t before = threads::MonotonicNs();
  std::string maps = unwind::ReadMaps();
  read_ns_ = threads::MonotonicNs();
  cost_ns_ = read_ns_ - before;
  return maps;
}

bool ModuleWatch::MayReadMaps() const {
  return threads::MonotonicNs() - read_ns_ >= cost_ns_ * kMapsCostShare;
}

void ModuleWatch::Set(const std::string& maps, const Use& use) {
  // A process that has become non-dumpable may not read its own maps; what was
  // known stays better than nothing.
  if (maps.empty()) return;
  hash_ = HashOfCode(maps);
  use(maps);
}

void ModuleWatch::Reload(const Use& use) {
  constexpr int kAttempts = 3;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    added_ = loader_.added();
    Set(ReadMaps(), use);
    if (AreKnown()) return;
  }
}

void ModuleWatch::Update(const Use& use) {
  if (!AreKnown()) {
    unknown_code_ = false;
    return Reload(use);
  }
  const bool compare =
      !loader_.found() && threads::MonotonicNs() - read_ns_ >= kCompareMapsNs;
  if ((!unknown_code_ && !compare) || !MayReadMaps()) return;
  unknown_code_ = false;
  const std::string maps = ReadMaps();
  if (HashOfCode(maps) != hash_) Set(maps, use);
}

}  // namespace wallprof::capture
