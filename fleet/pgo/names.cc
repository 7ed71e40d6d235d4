#include "fleet/pgo/names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace wallprof::pgo {
namespace {

constexpr absl::string_view kStaging = "/staging/";
constexpr absl::string_view kQuarantine = "/quarantine/";

// 19 digits since 2001 and until 2286.
constexpr size_t kMaxDigits = 19;

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

absl::Status CheckApp(std::string_view app) {
  const auto wrong = [](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("invalid app name: ", why));
  };
  if (app.empty()) return wrong("it is empty");
  if (app.size() > kMaxAppBytes) {
    return wrong(absl::StrCat("it has more than ", kMaxAppBytes, " bytes"));
  }
  for (const char c : app) {
    const auto byte = static_cast<unsigned char>(c);
    if (!absl::ascii_islower(byte) && !absl::ascii_isdigit(byte) && c != '-') {
      return wrong("it may have a-z, 0-9 and '-' alone");
    }
  }
  return absl::OkStatus();
}

std::string StagingPrefix(std::string_view app) {
  return absl::StrCat(View(app), kStaging);
}

std::string StagingKey(std::string_view app, int64_t unix_nanoseconds) {
  return absl::StrCat(View(app), kStaging, unix_nanoseconds);
}

std::string DefaultKey(std::string_view app) {
  return absl::StrCat(View(app), "/default.pgo");
}

std::optional<StagedName> ParseStagingKey(std::string_view key) {
  const size_t slash = key.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view app = key.substr(0, slash);
  absl::string_view digits = View(key.substr(slash));
  if (!CheckApp(app).ok() || !absl::ConsumePrefix(&digits, kStaging) ||
      digits.empty() || digits.size() > kMaxDigits) {
    return std::nullopt;
  }
  for (const char c : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      return std::nullopt;
    }
  }
  int64_t number = 0;
  if (!absl::SimpleAtoi(digits, &number)) return std::nullopt;
  return StagedName{std::string(app), number};
}

std::string QuarantineKey(std::string_view staging_key) {
  std::string key(staging_key);
  const size_t at = key.find(kStaging.data());
  if (at != std::string::npos) {
    key.replace(at, kStaging.size(), kQuarantine.data(), kQuarantine.size());
  }
  return key;
}

std::string ReasonKey(std::string_view staging_key) {
  return absl::StrCat(QuarantineKey(staging_key), ".reason");
}

}  // namespace wallprof::pgo
