#include <string>
#include <utility>
#include <vector>

#include "profiler/record/recorder.h"
#include "profiler/record/spool.h"
#include "profiler/record/window.h"
#include "profiler/symbolize/symbolizer.h"
#include "profiler/threads/syscall_name.h"
#include "wallprof/merge.h"
#include "wallprof/recorder.h"

namespace wallprof {

absl::StatusOr<Profile> ReadRecorded(const std::string& directory,
                                     absl::Time from, absl::Time to,
                                     std::vector<std::string>& problems,
                                     const PastOptions& options) {
  const auto files = record::ReadSpool(directory, problems);
  if (!files.ok()) return files.status();
  std::vector<const record::Slice*> all;
  for (const auto& file : *files) {
    for (const record::Slice& slice : file->slices) all.push_back(&slice);
  }
  const record::Interval interval{from, to};
  const std::vector<const record::Slice*> wanted =
      record::SlicesIn(interval, all);
  if (wanted.empty()) return record::NothingFrom(interval, all);
  std::vector<Profile> profiles;
  auto next = wanted.begin();
  for (const auto& file : *files) {
    // They are in the order of the files.
    std::vector<const record::Slice*> slices;
    for (const record::Slice& slice : file->slices) {
      if (next == wanted.end() || *next != &slice) continue;
      slices.push_back(*next++);
    }
    if (slices.empty()) continue;
    record::WindowOptions window;
    window.past = options;
    window.origin_wall_ns = wanted.front()->start_wall_ns;
    window.all_slices = wanted.size();
    profiles.push_back(record::ProfileOf(file->dictionary, slices, file->events,
                                         threads::SyscallName, window));
    symbolize::Symbolizer().Symbolize(profiles.back());
  }
  return profiles.size() == 1 ? std::move(profiles.front()) : Merge(profiles);
}

}  // namespace wallprof
