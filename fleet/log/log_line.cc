#include "fleet/log/log_line.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace wallprof::fleet {
namespace {

bool IsPlain(char c) {
  return static_cast<unsigned char>(c) > ' ' && c != '"' && c != '\\' &&
         c != '=' && c != '\x7f';
}

std::string Quoted(const std::string& value) {
  const bool is_plain =
      !value.empty() && std::all_of(value.begin(), value.end(), IsPlain);
  return is_plain ? value
                  : absl::StrCat("\"", absl::Utf8SafeCEscape(value), "\"");
}

std::string JsonString(const std::string& value) {
  return nlohmann::json(value).dump(-1, ' ', false,
                                    nlohmann::json::error_handler_t::replace);
}

}  // namespace

LogLine& LogLine::Add(std::string_view key, std::string_view value) {
  fields_.push_back({std::string(key), std::string(value), false});
  return *this;
}

LogLine& LogLine::Add(std::string_view key, int64_t value) {
  fields_.push_back({std::string(key), absl::StrCat(value), true});
  return *this;
}

std::string LogLine::text() const {
  std::string text;
  for (const Field& field : fields_) {
    absl::StrAppend(&text, text.empty() ? "" : " ", field.key, "=",
                    Quoted(field.value));
  }
  return text;
}

std::string LogLine::json_members() const {
  std::string text;
  for (const Field& field : fields_) {
    absl::StrAppend(&text, text.empty() ? "" : ",", JsonString(field.key), ":",
                    field.is_number ? field.value : JsonString(field.value));
  }
  return text;
}

}  // namespace wallprof::fleet
