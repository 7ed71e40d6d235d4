#include "cli/pgo/export_source.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/profile_file.h"
#include "fleet/pgo/names.h"
#include "wallprof/formats.h"

namespace wallprof::cli {
namespace {

constexpr char kWanted[] =
    ". What is wanted is pprof's form, as `wallprof run -o FILE.pb.gz` and "
    "`wallprof fetch` write it";

bool Exists(const std::string& path) {
  std::error_code error;
  return path == "-" || std::filesystem::exists(path, error);
}

bool IsElf(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  return file.read(magic, sizeof magic) &&
         std::string(magic, sizeof magic) == "\177ELF";
}

absl::Status Explained(const absl::Status& status, const std::string& more) {
  return absl::Status(status.code(), absl::StrCat(status.message(), more));
}

// Whether places in code can be told at all: stacks of names have none.
bool HasPlaces(const Profile& profile) {
  return std::any_of(profile.locations.begin(), profile.locations.end(),
                     [](const Location& at) { return at.address != 0; }) ||
         std::any_of(
             profile.functions.begin(), profile.functions.end(),
             [](const Function& function) { return function.start_line > 0; });
}

absl::StatusOr<Profile> ReadHere(const std::string& source) {
  absl::StatusOr<Profile> profile = ReadProfile(source);
  if (!profile.ok()) return Explained(profile.status(), kWanted);
  const std::string name = source == "-" ? "standard input" : source;
  if (profile->samples.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": has no samples"));
  }
  if (!HasPlaces(*profile)) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": tells neither addresses nor lines, as folded stacks",
        kWanted));
  }
  return profile;
}

absl::StatusOr<Profile> ReadThere(const std::string& app,
                                  const ClientArguments& arguments) {
  const auto client = arguments.NewClient();
  if (!client.ok()) return client.status();
  const auto bytes = (*client)->Download(app);
  if (bytes.ok()) return DecodePprof(*bytes);
  return absl::Status(bytes.status().code(),
                      absl::StrCat(app,
                                   ", which is no profile's file here, "
                                   "at the server: ",
                                   bytes.status().message()));
}

}  // namespace

absl::StatusOr<Profile> ReadExportSource(const std::string& source,
                                         const ClientArguments& client) {
  const bool program = IsElf(source);
  if (Exists(source) && !program) return ReadHere(source);
  if (const absl::Status s = pgo::CheckApp(source); !s.ok()) {
    return program
               ? absl::InvalidArgumentError(
                     absl::StrCat(source, ": is a program or library", kWanted))
               : absl::NotFoundError(absl::StrCat(
                     source,
                     ": no such file, and no program's name: ", s.message()));
  }
  return ReadThere(source, client);
}

}  // namespace wallprof::cli
