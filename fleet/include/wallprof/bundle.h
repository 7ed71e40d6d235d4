// Bundles: what a process can tell of itself at one time, in one zip that says
// where it came from.
//
//   std::ofstream file("now.zip", std::ios::binary);
//   wallprof::BundleOptions options;
//   options.profile = absl::Seconds(5);
//   absl::StatusOr<wallprof::BundleReport> report = wallprof::WriteBundle(
//       *profiler, options, [&](std::string_view bytes) {
//         file.write(bytes.data(), bytes.size());
//         return file ? absl::OkStatus() : absl::DataLossError("now.zip");
//       });
//
// Entries, as they are listed: `meta` (where and when, and what became of each
// part), `expvar` (variables.h), `pprof/heap` and `heap.json`, `threads.json`,
// `custom/<name>`, `pprof/wall`, `pprof/profile`, `pprof/lockwait`. They are
// stored, so that any tool for zips reads them. bundle_schedule.h takes bundles
// all the time.
#ifndef WALLPROF_BUNDLE_H_
#define WALLPROF_BUNDLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wallprof/profiler.h"

namespace wallprof {

// Where a bundle came from.
struct BundleIdentity {
  std::string program;  // `main` in meta; by default the executable's name
  std::string version;  // `revision`; empty by default
  std::string
      build_id;      // of the executable, lower-case hex; empty: it has none
  std::string host;  // the machine's or container's name
  // "1-<start, Unix seconds, 8 hex>-<12 random bytes, hex>-<pid>": no other
  // process has it, on whichever machine.
  std::string process;
  absl::Time start;  // of the process
};

// Of this process. The same at each call; another after a fork, and after an
// exec. Thread-safe.
BundleIdentity CurrentIdentity();

// Takes the bytes of a bundle, in order. An error ends the bundle.
using BundleSink = std::function<absl::Status(std::string_view bytes)>;

// Something of the program's own that goes into its bundles. Called on a thread
// of the profiler's where bundles are taken on a schedule or over HTTP, with
// all signals blocked. On a schedule that thread has the program's file
// descriptors. Over HTTP it has others: there the program's must not be used,
// since their numbers are other files.
struct DataSource {
  std::string name;  // 1 to 200 bytes of any kind; escaped in the entry's name
  // Gives the bytes, in one call of the sink or in many. Where it fails, or
  // throws, the part is left out, and meta says why.
  std::function<absl::Status(const BundleSink& sink)> write;
};

struct BundleOptions {
  BundleIdentity identity = CurrentIdentity();

  // How long pprof/wall, pprof/profile and pprof/lockwait are measured for, at
  // the same time. Zero: a bundle that is there at once, with pprof/wall and
  // pprof/lockwait of everything since the start, and without pprof/profile.
  absl::Duration profile;

  std::vector<DataSource> sources;  // entries custom/<name>

  // A heap profile, as the program's allocator gives it: entry pprof/heap. May
  // be empty.
  std::function<absl::Status(const BundleSink& sink)> heap;

  // Numbers of the allocator, as JSON: entry heap.json. By default those of
  // mallinfo2, which locks an arena for as long as it takes to walk its free
  // blocks; so once that has taken 2 ms, it is not asked any more. Empty: no
  // such entry.
  std::function<absl::StatusOr<std::string>()> heap_statistics =
      HeapStatisticsOfLibc;

  // Bound on one part, which is held in memory while it is made, and on the
  // bundle. A part that would be larger is left out, and meta says so.
  size_t max_part_bytes = size_t{16} << 20;
  size_t max_bytes = size_t{128} << 20;

  // Asked now and then; true ends the bundle with Cancelled. May be empty.
  std::function<bool()> cancelled;

  // Asked while it measures; true ends that early, and the bundle is completed
  // with what there is. May be empty.
  std::function<bool()> enough;

  // OkStatus, or InvalidArgument naming what is wrong.
  absl::Status Validate() const;

  // FailedPrecondition where malloc is not libc's, or has taken too long.
  static absl::StatusOr<std::string> HeapStatisticsOfLibc();
};

// What became of a part; `parts` in meta.
struct BundlePart {
  std::string name;
  bool taken = false;
  std::string why;      // of a part that was left out, or that lacks something
  absl::Duration took;  // from begin to end
  absl::Duration cpu;   // of the thread that made it
  int64_t bytes = 0;
};

struct BundleReport {
  std::vector<BundlePart> parts;
  int64_t bytes = 0;  // of the bundle
};

// What bundles are made of; Profiler gives one, tests another. Thread-safe.
class BundleSource {
 public:
  virtual ~BundleSource() = default;

  // One profile for each of `views`, all of one measurement.
  virtual std::vector<absl::StatusOr<Profile>> CollectViews(
      absl::Duration duration, const std::vector<View>& views,
      const CollectOptions& options) = 0;

  // Of everything since the start.
  virtual absl::StatusOr<Profile> Snapshot(View view) = 0;

  // None: not to be had.
  virtual std::vector<ThreadInfo> Threads() = 0;
};

// Writes one bundle to `sink`, a part at a time; blocks for options.profile and
// the time it takes. A part that fails is left out; the bundle fails with the
// sink's error, with Cancelled, or with InvalidArgument before it begins.
// Needs 256 KiB of stack. Any number at once. Thread-safe.
absl::StatusOr<BundleReport> WriteBundle(Profiler& profiler,
                                         const BundleOptions& options,
                                         const BundleSink& sink);
absl::StatusOr<BundleReport> WriteBundle(BundleSource& source,
                                         const BundleOptions& options,
                                         const BundleSink& sink);

// "<program>/<host>/<process>/<time>.zip", each part escaped: where a bundle
// that was begun at `capture` is to be kept.
std::string BundleKey(const BundleIdentity& identity, absl::Time capture);

}  // namespace wallprof

#endif  // WALLPROF_BUNDLE_H_
