#include "fleet/pgo/scrape/sources/file_targets.h"

#include <fcntl.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fleet/files/files.h"

namespace wallprof::pgo {
namespace {

using Json = nlohmann::json;

// A hundred thousand targets; what is more is some other file.
constexpr int64_t kMaxFileBytes = int64_t{16} << 20;

// The parser's words without its own name before them.
std::string Reason(const Json::exception& error) {
  const std::string text = error.what();
  const size_t name = text.find("] ");
  return name == std::string::npos ? text : text.substr(name + 2);
}

// The texts of one entry; what is wrong with it, or empty.
std::string TakeEntry(const Json& entry, Target& target) {
  if (!entry.is_object()) return "is no object";
  for (const auto& [name, value] : entry.items()) {
    std::string* taken = name == "address"   ? &target.address
                         : name == "path"    ? &target.path
                         : name == "version" ? &target.version
                                             : nullptr;
    if (taken == nullptr) {
      return absl::StrCat("has '", name,
                          "', which is none of address, path and version");
    }
    if (!value.is_string()) return absl::StrCat("has no text as ", name);
    *taken = value.get<std::string>();
  }
  if (target.address.empty()) return "has no address";
  absl::StatusOr<Target> made =
      MakeTarget(target.address, target.path, target.version);
  if (!made.ok()) {
    return absl::StrCat("is wrong: ",
                        absl::string_view(made.status().message()));
  }
  target = *std::move(made);
  return "";
}

}  // namespace

absl::StatusOr<std::vector<Target>> ParseTargets(std::string_view text) {
  Json json;
  try {
    constexpr bool kThrows = true, kTakesComments = true;
    json = Json::parse(text, nullptr, kThrows, kTakesComments);
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(Reason(error));
  }
  if (!json.is_array()) {
    return absl::InvalidArgumentError("there is no array of targets");
  }
  std::vector<Target> targets;
  for (const Json& entry : json) {
    Target target;
    const std::string wrong = TakeEntry(entry, target);
    if (!wrong.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("entry ", targets.size() + 1, " ", wrong));
    }
    targets.push_back(std::move(target));
  }
  return EachOnce(std::move(targets));
}

FileTargets::Look::Look(const struct stat& status)
    : inode(status.st_ino),
      bytes(status.st_size),
      modified_ns(absl::ToUnixNanos(absl::TimeFromTimespec(status.st_mtim))),
      changed_ns(absl::ToUnixNanos(absl::TimeFromTimespec(status.st_ctim))) {}

bool FileTargets::Look::operator==(const Look& other) const {
  return inode == other.inode && bytes == other.bytes &&
         modified_ns == other.modified_ns && changed_ns == other.changed_ns;
}

absl::StatusOr<std::unique_ptr<FileTargets>> FileTargets::Open(
    std::string path) {
  std::unique_ptr<FileTargets> source(new FileTargets(std::move(path)));
  if (absl::Status s = source->Check(); !s.ok()) return s;
  return source;
}

std::string FileTargets::name() const { return absl::StrCat("file://", path_); }

absl::StatusOr<std::vector<Target>> FileTargets::List() {
  std::lock_guard lock(mutex_);
  struct stat status;
  if (stat(path_.c_str(), &status) != 0) {
    looked_.reset();
    targets_ = fleet::FileError(errno, path_);
    return targets_;
  }
  const Look look(status);
  if (looked_ != nullptr && *looked_ == look) return targets_;
  looked_ = std::make_unique<Look>(look);
  targets_ = Read(status);
  if (!targets_.ok() && !absl::StartsWith(targets_.status().message(), path_)) {
    targets_ = absl::Status(
        targets_.status().code(),
        absl::StrCat(path_, ": ",
                     absl::string_view(targets_.status().message())));
  }
  return targets_;
}

absl::StatusOr<std::vector<Target>> FileTargets::Read(
    const struct stat& status) const {
  if (!S_ISREG(status.st_mode)) {
    return absl::InvalidArgumentError("it is no file");
  }
  if (status.st_size > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has more than ", kMaxFileBytes, " bytes"));
  }
  const absl::StatusOr<fleet::File> file = fleet::OpenFile(path_, O_RDONLY);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> text =
      fleet::ReadAt(file->number(), 0, status.st_size);
  if (!text.ok()) return text.status();
  return ParseTargets(*text);
}

}  // namespace wallprof::pgo
