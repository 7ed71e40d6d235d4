// How applications and their objects are called. Plain functions.
//
//   <app>/staging/<unix nanoseconds>      uploaded, not yet merged
//   <app>/default.pgo                     the base, for those who read the
//   store <app>/base/..., /parts/..., /state/...  what the worker keeps (see
//   base/) <app>/quarantine/<unix nanoseconds>   could not be merged; .reason
//   says why
#ifndef WALLPROF_FLEET_PGO_NAMES_H_
#define WALLPROF_FLEET_PGO_NAMES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace wallprof::pgo {

// Of an application's name: it is a step of keys, of subjects and of paths.
inline constexpr size_t kMaxAppBytes = 128;

// InvalidArgument, "invalid app name" and what is wrong, unless `app` is one or
// more of a-z, 0-9 and '-'.
absl::Status CheckApp(std::string_view app);

std::string StagingPrefix(std::string_view app);  // "<app>/staging/"
std::string StagingKey(std::string_view app, int64_t unix_nanoseconds);
std::string DefaultKey(std::string_view app);  // "<app>/default.pgo"

struct StagedName {
  std::string app;
  int64_t unix_nanoseconds;
};

// nullopt if `key` is no staging key.
std::optional<StagedName> ParseStagingKey(std::string_view key);

// The key of what is put aside instead of `staging_key`, and of the text that
// says why.
std::string QuarantineKey(std::string_view staging_key);
std::string ReasonKey(std::string_view staging_key);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_NAMES_H_
