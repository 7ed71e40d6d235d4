#include "cli/final_bundle.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/bundle/assembly.h"
#include "fleet/bundle/bundle_files.h"
#include "fleet/bundle/escape.h"
#include "fleet/bundle/identity.h"
#include "profiler/recorded_profiler.h"
#include "wallprof/bundle_schedule.h"
#include "wallprof/formats.h"

namespace wallprof::cli {
namespace {

namespace fs = std::filesystem;

std::string BaseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// The directory of the process's bundles, of which there are several if it
// executed something else: the last. Empty if there is none.
fs::path DirectoryOf(const std::string& directory, const std::string& process) {
  fs::path found;
  fs::file_time_type found_time;
  std::error_code error;
  fs::directory_iterator program(directory, error);
  for (; !error && program != fs::directory_iterator();
       program.increment(error)) {
    const fs::path bundles =
        program->path() / bundle::FileNameEscape(bundle::HostName()) / process;
    std::error_code none;
    const fs::file_time_type time = fs::last_write_time(bundles, none);
    if (!none && (found.empty() || time > found_time)) {
      found = bundles;
      found_time = time;
    }
  }
  return found;
}

// The program is called as in its other bundles, and has the build id that was
// recorded of it.
void Identify(const fs::path& others, const Profile& profile,
              BundleIdentity& identity) {
  if (!others.empty()) {
    identity.program = others.parent_path().parent_path().filename();
  }
  if (profile.mappings.empty()) return;  // it ended before it was looked at
  // The executable's comes first.
  const Mapping& executable = profile.mappings.front();
  const std::string name = BaseName(executable.filename);
  if (others.empty() || bundle::FileNameEscape(name) == identity.program) {
    identity.program = name;
    identity.build_id = executable.build_id;
  }
}

}  // namespace

FinalBundle::FinalBundle(const std::string& directory)
    : directory_(directory.empty() ? "" : fs::absolute(directory).string()),
      start_(absl::Now()),
      process_(bundle::MakeProcessId(start_, 0)) {}

std::string FinalBundle::ProcessOf(pid_t pid) const {
  return absl::StrCat(process_.substr(0, process_.rfind('-') + 1), pid);
}

absl::Status FinalBundle::WriteIfMissing(const std::string& command,
                                         const Ended& ended,
                                         int recording) const {
  const fs::path others = DirectoryOf(directory_, ProcessOf(ended.pid));
  if (!ended.by_signal && !others.empty()) return absl::OkStatus();
  const absl::StatusOr<Profile> profile =
      RecordedProfiler::Read(recording, std::nullopt);
  if (!profile.ok()) return profile.status();
  const bool cpu_only = SampleTypeIndex(*profile, "wall") < 0;
  BundleIdentity identity;
  identity.program = BaseName(command);
  identity.host = bundle::HostName();
  identity.process = ProcessOf(ended.pid);
  identity.start = start_;
  Identify(others, *profile, identity);
  const absl::Time now = absl::Now();
  const BundleOptions limits;
  const auto write = [&](const BundleSink& sink) {
    bundle::Assembly assembly(sink, limits.max_part_bytes, limits.max_bytes,
                              nullptr);
    for (const char* part : {"expvar", "heap.json", "threads.json"}) {
      assembly.Skip(part, "the program had ended");
    }
    assembly.Take(cpu_only ? "pprof/profile" : "pprof/wall",
                  [&](std::string&) { return EncodePprof(*profile); });
    assembly.Skip(cpu_only ? "pprof/wall" : "pprof/profile",
                  cpu_only ? "only CPU time was measured"
                           : "pprof/wall has the CPU time too");
    assembly.Take("pprof/lockwait",
                  [&](std::string&) -> absl::StatusOr<std::string> {
                    const absl::StatusOr<Profile> waits =
                        RecordedProfiler::Read(recording, View::kBlockedBy);
                    if (!waits.ok()) return waits.status();
                    return EncodePprof(*waits);
                  });
    return assembly.Finish(identity, now).status();
  };
  const BundleScheduleOptions kept;
  bundle::BundleFiles files(
      directory_, bundle::Retention{kept.keep_for, kept.keep_bytes}, absl::Now);
  const absl::Status put = files.Put(BundleKey(identity, now), write);
  if (put.ok()) return put;
  return absl::Status(put.code(),
                      absl::StrCat("the last bundle is missing in ", directory_,
                                   ": ", put.message()));
}

}  // namespace wallprof::cli
