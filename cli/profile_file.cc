#include "cli/profile_file.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "wallprof/recorder.h"

namespace wallprof::cli {
namespace {

constexpr size_t kChunkBytes = 64 * 1024;

absl::StatusOr<std::string> ReadAll(FILE* file) {
  std::string bytes;
  size_t size = 0;
  do {
    size_t end = bytes.size();
    bytes.resize(end + kChunkBytes);
    size = fread(bytes.data() + end, 1, kChunkBytes, file);
    bytes.resize(end + size);
  } while (size > 0);
  if (ferror(file)) return absl::ErrnoToStatus(errno, "cannot read");
  return bytes;
}

absl::StatusOr<Profile> ReadDirectory(const std::string& path,
                                      const PastTimes& times,
                                      const PastOptions& options) {
  const absl::Time now = absl::Now();
  absl::StatusOr<absl::Time> from = absl::InfinitePast();
  if (!times.from.empty()) from = ParseTime(times.from, now);
  if (!from.ok()) return from.status();
  absl::StatusOr<absl::Time> to = absl::InfiniteFuture();
  if (!times.to.empty()) to = ParseTime(times.to, now);
  if (!to.ok()) return to.status();
  std::vector<std::string> problems;
  absl::StatusOr<Profile> profile =
      ReadRecorded(path, *from, *to, problems, options);
  for (const std::string& problem : problems) {
    std::cerr << "wallprof: " << problem << std::endl;
  }
  return profile;
}

absl::StatusOr<Profile> ReadUnnamed(const std::string& path,
                                    const PastTimes& times,
                                    const PastOptions& options) {
  if (std::error_code error; std::filesystem::is_directory(path, error)) {
    return ReadDirectory(path, times, options);
  }
  if (!times.from.empty()) {
    return absl::InvalidArgumentError(
        "--from is for a directory that a recorder wrote to");
  }
  absl::StatusOr<std::string> bytes = ReadBytes(path);
  if (!bytes.ok()) return bytes.status();
  // An empty file is an empty profile in folded stacks, but cut short if it
  // says that it is pprof.
  if (FormatOfPath(path) == Format::kPprof) return DecodePprof(*bytes);
  return Decode(*bytes);
}

}  // namespace

absl::StatusOr<std::string> ReadBytes(const std::string& path) {
  if (path == "-") return ReadAll(stdin);
  std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "rbe"),
                                             fclose);
  if (file == nullptr) return absl::ErrnoToStatus(errno, "cannot open");
  return ReadAll(file.get());
}

absl::StatusOr<Profile> ReadProfile(const std::string& path,
                                    const PastTimes& times,
                                    const PastOptions& options) {
  absl::StatusOr<Profile> profile = ReadUnnamed(path, times, options);
  if (profile.ok()) return profile;
  std::string name = path == "-" ? "standard input" : path;
  return absl::Status(profile.status().code(),
                      absl::StrCat(name, ": ", profile.status().message()));
}

absl::Status WriteProfile(const Profile& profile, const std::string& path,
                          Format format, const FoldedOptions& folded) {
  if (path == "-") return Print(Encode(profile, format, folded));
  return WriteFile(profile, path, format, folded);
}

absl::Status Print(const std::string& bytes) {
  if (fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() ||
      fflush(stdout) != 0) {
    return absl::ErrnoToStatus(errno, "cannot write standard output");
  }
  return absl::OkStatus();
}

}  // namespace wallprof::cli
