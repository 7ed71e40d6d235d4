#include "fleet/bundle/escape.h"

#include <zlib.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace wallprof::bundle {
namespace {

// Leaves room for a suffix, and for those who add one.
constexpr size_t kMaxFileName = 200;

bool StaysAsItIs(unsigned char c) {
  return absl::ascii_isalnum(c) ||
         std::string_view("-_.~$&+=:@").find(static_cast<char>(c)) !=
             std::string_view::npos;
}

}  // namespace

std::string PathEscape(std::string_view name) {
  if (name == ".") return "%2E";
  if (name == "..") return "%2E%2E";
  std::string escaped;
  for (const char c : name) {
    if (StaysAsItIs(static_cast<unsigned char>(c))) {
      escaped += c;
    } else {
      absl::StrAppendFormat(&escaped, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

std::string FileNameEscape(std::string_view name) {
  std::string escaped = PathEscape(name);
  if (escaped.empty()) return "-";
  if (escaped.size() <= kMaxFileName) return escaped;
  const auto sum = static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(name.data()), name.size()));
  escaped.resize(kMaxFileName - 9);
  // No half of an escaped byte.
  if (const size_t percent = escaped.rfind('%');
      percent != std::string::npos && percent + 3 > escaped.size()) {
    escaped.resize(percent);
  }
  absl::StrAppendFormat(&escaped, "~%08x", sum);
  return escaped;
}

std::string FormatInstant(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

}  // namespace wallprof::bundle
