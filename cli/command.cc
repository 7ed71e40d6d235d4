#include "cli/command.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"

namespace wallprof::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kPreloadName[] = "libwallprof_preload.so";

// Of the paths in LD_PRELOAD; there is no quoting.
constexpr char kSeparators[] = " :";

// True of an ELF file that names no interpreter: the loader never sees it.
bool IsStatic(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Elf64_Ehdr header;
  if (!file.read(reinterpret_cast<char*>(&header), sizeof(header)) ||
      memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return false;
  }
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr program;
    if (!file.read(reinterpret_cast<char*>(&program), sizeof(program))) break;
    if (program.p_type == PT_INTERP) return false;
  }
  return true;
}

// True where exec changes the user or group, and the loader ignores
// LD_PRELOAD.
bool ChangesIdentity(const struct stat& status) {
  return ((status.st_mode & S_ISUID) != 0 && status.st_uid != geteuid()) ||
         ((status.st_mode & S_ISGID) != 0 && status.st_gid != getegid());
}

}  // namespace

absl::StatusOr<std::string> PreloadPath() {
  std::error_code error;
  const fs::path directory =
      fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path places[] = {directory,
                             directory / ".." / WALLPROF_INSTALL_LIBDIR};
  for (const fs::path& place : places) {
    if (!fs::exists(place / kPreloadName, error)) continue;
    std::string path = fs::canonical(place / kPreloadName, error).string();
    if (path.find_first_of(kSeparators) == std::string::npos) return path;
    return absl::FailedPreconditionError(absl::StrCat(
        path, " has a space or colon in it, which LD_PRELOAD cannot name"));
  }
  return absl::NotFoundError(
      absl::StrCat(kPreloadName, " is neither in ", places[0].string(),
                   " nor in ", places[1].lexically_normal().string()));
}

std::string FindInPath(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = getenv("PATH");
  std::istringstream directories(path == nullptr ? "/bin:/usr/bin" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::string candidate =
        absl::StrCat(directory.empty() ? "." : directory, "/", name);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

std::optional<std::string> WhyNotRecorded(const std::string& command) {
  const std::string path = FindInPath(command);
  struct stat status;
  if (path.empty() || stat(path.c_str(), &status) != 0) return std::nullopt;
  if (ChangesIdentity(status)) {
    return absl::StrCat(path, " runs as another user or group");
  }
  if (IsStatic(path)) return absl::StrCat(path, " is statically linked");
  return std::nullopt;
}

}  // namespace wallprof::cli
