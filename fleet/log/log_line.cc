#include "fleet/log/log_line.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace wallprof::fleet {
namespace {

bool IsPlain(char c) {
  return static_cast<unsigned char>(c) > ' ' && c != '"' && c != '\\' &&
         c != '=' && c != '\x7f';
}

}  // namespace

LogLine& LogLine::Add(std::string_view key, std::string_view value) {
  const bool is_plain =
      !value.empty() && std::all_of(value.begin(), value.end(), IsPlain);
  const absl::string_view text(value.data(), value.size());
  absl::StrAppend(&text_, text_.empty() ? "" : " ", std::string(key), "=");
  if (is_plain) {
    absl::StrAppend(&text_, text);
  } else {
    absl::StrAppend(&text_, "\"", absl::Utf8SafeCEscape(text), "\"");
  }
  return *this;
}

LogLine& LogLine::Add(std::string_view key, int64_t value) {
  return Add(key, absl::StrCat(value));
}

}  // namespace wallprof::fleet
