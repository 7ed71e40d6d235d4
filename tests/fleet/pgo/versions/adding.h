// One of several who change the same record at once.
#ifndef WALLPROF_TESTS_FLEET_PGO_VERSIONS_ADDING_H_
#define WALLPROF_TESTS_FLEET_PGO_VERSIONS_ADDING_H_

#include <string>

#include "absl/status/status.h"
#include "fleet/pgo/versions/base_versions.h"

namespace wallprof::pgo {

inline constexpr char kSharedApp[] = "shared";
inline constexpr int kThreads = 4;
inline constexpr int kWordsOfThread = 10;

// Adds the words of a thread of `who`, one after the other, each on a line; as
// a worker does, which looks for what it has to add before it tries again.
inline absl::Status AddWords(BaseVersions& versions, const std::string& who,
                             int thread) {
  for (int i = 0; i < kWordsOfThread;) {
    const auto version = versions.Get(kSharedApp);
    if (absl::IsUnavailable(version.status())) continue;
    if (!version.ok()) return version.status();
    const std::string word =
        who + "." + std::to_string(thread) + "." + std::to_string(i) + "\n";
    if (version->record.find(word) != std::string::npos) {
      ++i;
      continue;
    }
    const absl::Status replaced =
        versions.Replace(kSharedApp, version->revision, version->record + word)
            .status();
    if (!replaced.ok() && !absl::IsAborted(replaced) &&
        !absl::IsUnavailable(replaced)) {
      return replaced;
    }
  }
  return absl::OkStatus();
}

}  // namespace wallprof::pgo

#endif  // WALLPROF_TESTS_FLEET_PGO_VERSIONS_ADDING_H_
