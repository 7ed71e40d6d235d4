#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/profile_file.h"
#include "cli/verb.h"
#include "fleet/gzip/whole_gzip.h"
#include "wallprof/pprof_merge.h"

namespace wallprof::cli {
namespace {

// With fewer, putting the threads' sums together takes longer than is saved.
constexpr size_t kFilesAThread = 8;

// Each has a sum of its own, which takes memory.
constexpr size_t kMaxThreads = 8;

// Often enough to be seen moving.
constexpr absl::Duration kProgressInterval = absl::Milliseconds(100);

struct Arguments {
  std::optional<Format> to;
  std::string out = "-";
  std::vector<std::string> files;
};

// How many files are done, on standard error if that is a terminal.
class Progress {
 public:
  explicit Progress(size_t all)
      : all_(all), is_visible_(isatty(STDERR_FILENO) != 0) {}

  ~Progress() {
    if (is_visible_) fputs("\r\033[K", stderr);
  }

  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void AddOne() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++done_;
    if (!is_visible_ || absl::Now() < next_) return;
    next_ = absl::Now() + kProgressInterval;
    fprintf(stderr, "\r\033[K%zu of %zu profiles", done_, all_);
    fflush(stderr);
  }

 private:
  const size_t all_;
  const bool is_visible_;
  std::mutex mutex_;
  size_t done_ = 0;
  absl::Time next_ = absl::InfinitePast();
};

absl::Status Named(const std::string& path, const absl::Status& s) {
  return absl::Status(s.code(),
                      absl::StrCat(path == "-" ? "standard input" : path, ": ",
                                   std::string(s.message())));
}

// The message of a profile in any format that is read.
absl::StatusOr<std::string> MessageOf(const Profile& profile) {
  return UnpackPprof(EncodePprof(profile), kMaxDecodedBytes);
}

absl::StatusOr<std::string> ReadMessage(const std::string& path) {
  if (std::error_code error; std::filesystem::is_directory(path, error)) {
    const absl::StatusOr<Profile> recorded = ReadProfile(path);
    if (!recorded.ok()) return recorded.status();
    return MessageOf(*recorded);
  }
  absl::StatusOr<std::string> bytes = ReadBytes(path);
  if (!bytes.ok()) return Named(path, bytes.status());
  if (FormatOfPath(path) == Format::kPprof || fleet::IsGzip(*bytes)) {
    absl::StatusOr<std::string> message =
        fleet::UnpackWhole(*bytes, kMaxDecodedBytes);
    return message.ok() ? message : Named(path, message.status());
  }
  const absl::StatusOr<Profile> profile = Decode(*bytes);
  if (!profile.ok()) return Named(path, profile.status());
  return MessageOf(*profile);
}

// One thread's part of the files, in their order, so that the sum does not
// depend on which thread was faster.
struct Part {
  size_t begin = 0;
  size_t end = 0;
  PprofMerger merger;
  absl::Status status;

  void Run(const std::vector<std::string>& files, Progress& progress,
           std::atomic<bool>& has_failed) {
    for (size_t i = begin; i < end && !has_failed; ++i) {
      const absl::StatusOr<std::string> message = ReadMessage(files[i]);
      status = message.status();
      if (status.ok()) {
        const absl::Status added = merger.Add(*message);
        if (!added.ok()) status = Named(files[i], added);
      }
      if (!status.ok()) has_failed = true;
      progress.AddOne();
    }
  }
};

absl::StatusOr<PprofMerger> AddUp(const std::vector<std::string>& files) {
  const size_t processors = std::max(1u, std::thread::hardware_concurrency());
  const size_t count = std::clamp<size_t>(files.size() / kFilesAThread, 1,
                                          std::min(processors, kMaxThreads));
  std::vector<Part> parts(count);
  Progress progress(files.size());
  std::atomic<bool> has_failed = false;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    parts[i].begin = files.size() * i / count;
    parts[i].end = files.size() * (i + 1) / count;
    threads.emplace_back([&, i] { parts[i].Run(files, progress, has_failed); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Part& part : parts) {
    if (!part.status.ok()) return part.status;
  }
  for (size_t i = 1; i < count; ++i) {
    const absl::Status s = parts[0].merger.Add(parts[i].merger);
    if (!s.ok()) return Named(files[parts[i].begin], s);
    parts[i].merger = PprofMerger();
  }
  return std::move(parts[0].merger);
}

absl::Status MergeFiles(const Arguments& arguments) {
  const Format format = OutputFormat(arguments.out, arguments.to);
  if (std::count(arguments.files.begin(), arguments.files.end(), "-") > 1) {
    throw CLI::ValidationError("FILE",
                               "standard input can only be one of the files");
  }
  absl::StatusOr<PprofMerger> sum = AddUp(arguments.files);
  if (!sum.ok()) return sum.status();
  if (format != Format::kPprof) {
    const absl::StatusOr<Profile> profile = std::move(*sum).Finish();
    if (!profile.ok()) return profile.status();
    return WriteProfile(*profile, arguments.out, format);
  }
  const absl::StatusOr<std::string> message = std::move(*sum).FinishMessage();
  if (!message.ok()) return message.status();
  const std::string bytes = fleet::PackWhole(*message);
  return arguments.out == "-" ? Print(bytes) : WriteBytes(bytes, arguments.out);
}

}  // namespace

void AddMerge(CLI::App& program, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddVerb(
      program, "merge", "Adds up profiles, however many, of the same types",
      exit_status, [arguments] { return MergeFiles(*arguments); });
  verb->add_option("-o", arguments->out,
                   "File to write, its format by its suffix; by default "
                   "folded stacks on standard output");
  AddFormatOption(*verb, "--to", arguments->to);
  verb->add_option("FILE", arguments->files, "- is standard input")->required();
}

}  // namespace wallprof::cli
