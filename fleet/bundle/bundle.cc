#include "wallprof/bundle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "fleet/bundle/assembly.h"
#include "fleet/bundle/escape.h"
#include "fleet/bundle/threads_json.h"
#include "fleet/bundle/write.h"
#include "wallprof/formats.h"
#include "wallprof/variables.h"

namespace wallprof {
namespace {

using bundle::Assembly;

constexpr size_t kMaxSourceName = 200;

// Less holds no profile, and meta has to fit.
constexpr size_t kMinPartBytes = size_t{4} << 10;
constexpr size_t kMinBytes = size_t{256} << 10;

constexpr std::string_view kWallPart = "pprof/wall";
constexpr std::string_view kCpuPart = "pprof/profile";
constexpr std::string_view kLockWaitPart = "pprof/lockwait";

absl::StatusOr<std::string> Encoded(const absl::StatusOr<Profile>& profile) {
  if (!profile.ok()) return profile.status();
  return EncodePprof(*profile);
}

void TakeVariables(Assembly& assembly) {
  assembly.TakeOfProgram(
      "expvar", [](std::string& remark) -> absl::StatusOr<std::string> {
        std::vector<std::string> problems;
        std::string json = VariablesJson(problems);
        if (!problems.empty()) {
          remark = absl::StrCat("left out: ", absl::StrJoin(problems, "; "));
        }
        return json;
      });
}

void TakeHeap(const BundleOptions& options, Assembly& assembly) {
  if (options.heap) assembly.TakeStreamed("pprof/heap", options.heap);
  if (options.heap_statistics) {
    assembly.TakeOfProgram(
        "heap.json", [&](std::string&) { return options.heap_statistics(); });
  }
}

void TakeThreads(BundleSource& source, Assembly& assembly) {
  assembly.Take("threads.json",
                [&](std::string&) -> absl::StatusOr<std::string> {
                  const std::vector<ThreadInfo> threads = source.Threads();
                  if (threads.empty()) {
                    return absl::UnavailableError(
                        "the profiler has stopped or does not know them");
                  }
                  return bundle::ThreadsJson(threads, absl::Now());
                });
}

void TakeSources(const BundleOptions& options, Assembly& assembly) {
  std::vector<const DataSource*> sources;
  for (const DataSource& source : options.sources) sources.push_back(&source);
  std::sort(sources.begin(), sources.end(),
            [](const DataSource* a, const DataSource* b) {
              return a->name < b->name;
            });
  for (const DataSource* source : sources) {
    assembly.TakeStreamed(
        absl::StrCat("custom/", bundle::PathEscape(source->name)),
        source->write);
  }
}

// What is there without waiting.
void TakeSnapshots(BundleSource& source, Assembly& assembly) {
  const auto take = [&](std::string_view name, View view) {
    assembly.Take(std::string(name), [&source, view](std::string&) {
      return Encoded(source.Snapshot(view));
    });
  };
  bool has_wall = true;
  assembly.Take(std::string(kWallPart), [&](std::string&) {
    const absl::StatusOr<Profile> wall = source.Snapshot(View::kWall);
    // Where only CPU time is measured, there is no such view.
    has_wall = !absl::IsInvalidArgument(wall.status());
    return Encoded(wall);
  });
  if (has_wall) {
    assembly.Skip(std::string(kCpuPart),
                  "no time was asked for; pprof/wall, of all since the start, "
                  "has the CPU time too");
  } else {
    take(kCpuPart, View::kCpu);
  }
  take(kLockWaitPart, View::kBlockedBy);
}

// Three views of one measurement; each is dropped once it is written.
void TakeMeasured(BundleSource& source, const BundleOptions& options,
                  Assembly& assembly) {
  CollectOptions collect;
  collect.cancelled = options.cancelled;
  collect.enough = options.enough;
  const std::vector<View> views = {View::kWall, View::kCpu, View::kBlockedBy};
  std::vector<absl::StatusOr<Profile>> profiles;
  const auto encode = [&](size_t i) -> absl::StatusOr<std::string> {
    // Its time, and its failure, are those of the first part.
    if (i == 0) profiles = source.CollectViews(options.profile, views, collect);
    if (i >= profiles.size()) {
      return absl::UnavailableError("it was not measured");
    }
    return Encoded(std::exchange(profiles[i], Profile()));
  };
  assembly.Take(std::string(kWallPart),
                [&](std::string&) { return encode(0); });
  assembly.Take(std::string(kCpuPart), [&](std::string&) { return encode(1); });
  assembly.Take(std::string(kLockWaitPart),
                [&](std::string&) { return encode(2); });
}

}  // namespace

absl::Status BundleOptions::Validate() const {
  if (profile < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("profile must not be below zero");
  }
  if (max_part_bytes < kMinPartBytes || max_bytes < kMinBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_part_bytes must be at least ", kMinPartBytes,
                     " and max_bytes at least ", kMinBytes));
  }
  std::vector<std::string> names;
  for (const DataSource& source : sources) {
    if (source.name.empty() || source.name.size() > kMaxSourceName) {
      return absl::InvalidArgumentError(
          absl::StrCat("a source's name must have 1 to ", kMaxSourceName,
                       " bytes, not ", source.name.size()));
    }
    if (!source.write) {
      return absl::InvalidArgumentError(
          absl::StrCat("source ", source.name, " has no function"));
    }
    names.push_back(source.name);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("two sources are named ", *twice));
  }
  return absl::OkStatus();
}

absl::StatusOr<BundleReport> bundle::WriteBundleAt(BundleSource& source,
                                                   const BundleOptions& options,
                                                   absl::Time capture,
                                                   const BundleSink& sink,
                                                   Assembly::CallProgram call) {
  if (absl::Status valid = options.Validate(); !valid.ok()) return valid;
  Assembly assembly(sink, options.max_part_bytes, options.max_bytes,
                    options.cancelled, std::move(call));
  TakeVariables(assembly);
  TakeHeap(options, assembly);
  TakeThreads(source, assembly);
  TakeSources(options, assembly);
  if (options.profile > absl::ZeroDuration()) {
    TakeMeasured(source, options, assembly);
  } else {
    TakeSnapshots(source, assembly);
  }
  return assembly.Finish(options.identity, capture);
}

absl::StatusOr<BundleReport> WriteBundle(BundleSource& source,
                                         const BundleOptions& options,
                                         const BundleSink& sink) {
  return bundle::WriteBundleAt(source, options, absl::Now(), sink);
}

std::string BundleKey(const BundleIdentity& identity, absl::Time capture) {
  return absl::StrCat(bundle::FileNameEscape(identity.program), "/",
                      bundle::FileNameEscape(identity.host), "/",
                      bundle::FileNameEscape(identity.process), "/",
                      bundle::FormatInstant(capture), ".zip");
}

}  // namespace wallprof
