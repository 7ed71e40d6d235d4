#include "fleet/bundle/identity.h"

#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "wallprof/bundle.h"

namespace wallprof {
namespace bundle {
namespace {

// Of the process id: the version of its form, and the length of its parts.
constexpr char kFormVersion[] = "1";
constexpr size_t kStartDigits = 8;
constexpr size_t kRandomBytes = 12;

// In the stat file of procfs, counted from the state, which follows the name.
constexpr size_t kStartTimeField = 19;

// Without waiting for the machine's randomness to be ready, and without an
// error: what is missing comes from clocks.
std::array<char, kRandomBytes> RandomBytes() {
  std::array<char, kRandomBytes> bytes = {};
  const ssize_t got = getrandom(bytes.data(), bytes.size(), GRND_NONBLOCK);
  if (got == static_cast<ssize_t>(bytes.size())) return bytes;
  for (size_t i = 0; i < bytes.size(); ++i) {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    bytes[i] ^= static_cast<char>(now.tv_nsec >> (i % 4));
  }
  return bytes;
}

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
  });
}

std::string ExecutableName() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  if (size <= 0) return program_invocation_short_name;
  std::string name(path, static_cast<size_t>(size));
  name.erase(0, name.rfind('/') + 1);
  // What the kernel adds to the name of a file that was replaced since.
  constexpr std::string_view kDeleted = " (deleted)";
  if (name.size() > kDeleted.size() &&
      name.compare(name.size() - kDeleted.size(), kDeleted.size(), kDeleted) ==
          0) {
    name.resize(name.size() - kDeleted.size());
  }
  return name;
}

// From the executable's headers in memory. The loader's list would need its
// lock, which a child that is forked meanwhile finds held.
std::string ExecutableBuildId() {
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(getauxval(AT_PHDR));
  const size_t count = getauxval(AT_PHNUM);
  if (headers == nullptr) return "";
  uintptr_t base = 0;
  for (size_t i = 0; i < count; ++i) {
    if (headers[i].p_type == PT_PHDR) {
      base = reinterpret_cast<uintptr_t>(headers) - headers[i].p_vaddr;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    if (headers[i].p_type != PT_NOTE) continue;
    const size_t align = std::max<size_t>(headers[i].p_align, 4);
    const auto round = [align](size_t n) {
      return (n + align - 1) & ~(align - 1);
    };
    const char* note = reinterpret_cast<const char*>(base + headers[i].p_vaddr);
    const char* const end = note + headers[i].p_memsz;
    while (note + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) header;
      std::memcpy(&header, note, sizeof(header));
      const char* const name = note + sizeof(header);
      const char* const id = note + round(sizeof(header) + header.n_namesz);
      if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
          std::memcmp(name, "GNU", 4) == 0) {
        return absl::BytesToHexString(absl::string_view(id, header.n_descsz));
      }
      note = id + round(header.n_descsz);
    }
  }
  return "";
}

BundleIdentity Identify() {
  BundleIdentity identity;
  identity.program = ExecutableName();
  identity.build_id = ExecutableBuildId();
  identity.host = HostName();
  identity.start = ProcessStart();
  identity.process = MakeProcessId(identity.start, getpid());
  return identity;
}

// Computed once a process, so that all bundles of it agree.
struct Known {
  std::mutex mutex;
  pid_t pid = 0;
  BundleIdentity identity;
};

// Never destroyed: asked for until the very end.
Known& GetKnown() {
  static Known& known = *new Known;
  return known;
}

// A child that is forked while the lock is held finds it free.
[[maybe_unused]] const int g_fork_error = pthread_atfork(
    [] { GetKnown().mutex.lock(); }, [] { GetKnown().mutex.unlock(); },
    [] { GetKnown().mutex.unlock(); });

}  // namespace

std::string MakeProcessId(absl::Time start, pid_t pid) {
  const auto random = RandomBytes();
  return absl::StrFormat(
      "%s-%08x-%s-%d", kFormVersion,
      static_cast<uint32_t>(absl::ToUnixSeconds(start)),
      absl::BytesToHexString(absl::string_view(random.data(), random.size())),
      pid);
}

bool IsProcessId(std::string_view text) {
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(text.data(), text.size()), '-');
  return parts.size() == 4 && parts[0] == kFormVersion &&
         parts[1].size() == kStartDigits && IsLowerHex(parts[1]) &&
         parts[2].size() == 2 * kRandomBytes && IsLowerHex(parts[2]) &&
         !parts[3].empty() && parts[3].size() <= 10 &&
         std::all_of(parts[3].begin(), parts[3].end(), absl::ascii_isdigit);
}

absl::Time ProcessStart() {
  std::ifstream file("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(file)),
                         std::istreambuf_iterator<char>());
  // The name may have blanks and parentheses in it.
  const size_t name_end = text.rfind(')');
  const absl::Time now = absl::Now();
  if (name_end == std::string::npos) return now;
  const std::vector<std::string> fields =
      absl::StrSplit(text.substr(name_end + 1), ' ', absl::SkipEmpty());
  int64_t ticks = 0;
  if (fields.size() <= kStartTimeField ||
      !absl::SimpleAtoi(fields[kStartTimeField], &ticks)) {
    return now;
  }
  timespec since_boot;
  clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const absl::Duration age = absl::DurationFromTimespec(since_boot) -
                             absl::Seconds(ticks) / sysconf(_SC_CLK_TCK);
  return now - age;
}

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = "";
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') {
    return "localhost";
  }
  return name;
}

}  // namespace bundle

BundleIdentity CurrentIdentity() {
  bundle::Known& known = bundle::GetKnown();
  std::lock_guard lock(known.mutex);
  if (known.pid != getpid()) {
    known.identity = bundle::Identify();
    known.pid = getpid();
  }
  return known.identity;
}

}  // namespace wallprof
