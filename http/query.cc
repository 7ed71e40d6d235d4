#include "http/query.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace wallprof::http {

namespace {

// Enough to recognise a value by; more would let a request write the response.
constexpr size_t kQuotedBytes = 64;

// nullopt if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> DecodePercent(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) ||
          !absl::ascii_isxdigit(text[i + 2])) {
        return std::nullopt;
      }
      decoded +=
          absl::HexStringToBytes(absl::string_view(text.data() + i + 1, 2));
      i += 2;
    }
  }
  return decoded;
}

}  // namespace

std::string Quoted(std::string_view text) {
  bool is_long = text.size() > kQuotedBytes;
  text = text.substr(0, kQuotedBytes);
  return absl::StrCat(
      "'", absl::CHexEscape(absl::string_view(text.data(), text.size())),
      is_long ? "...'" : "'");
}

absl::StatusOr<Query> Query::Parse(std::string_view text) {
  Query query;
  if (text.empty()) return query;
  std::vector<std::string> seen;
  for (absl::string_view piece :
       absl::StrSplit(absl::string_view(text.data(), text.size()), '&')) {
    if (piece.empty()) {
      return absl::InvalidArgumentError("The query has an empty parameter.");
    }
    std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(piece, absl::MaxSplits('=', 1));
    std::string raw_name(parts.first);
    if (!absl::StrContains(piece, '=')) {
      return absl::InvalidArgumentError(
          absl::StrCat("Parameter ", Quoted(raw_name), " has no value."));
    }
    std::optional<std::string> name = DecodePercent(raw_name);
    std::optional<std::string> value =
        DecodePercent({parts.second.data(), parts.second.size()});
    if (!name.has_value() || !value.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("Parameter ", Quoted(raw_name),
                       " has a '%' without two hexadecimal digits."));
    }
    if (std::find(seen.begin(), seen.end(), *name) != seen.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("Parameter ", Quoted(*name), " is given twice."));
    }
    seen.push_back(*name);
    if (*name == "debug" || *name == "gc") continue;
    query.parameters_.emplace_back(*std::move(name), *std::move(value));
  }
  return query;
}

std::optional<std::string> Query::Take(std::string_view name) {
  for (auto it = parameters_.begin(); it != parameters_.end(); ++it) {
    if (it->first != name) continue;
    std::string value = std::move(it->second);
    parameters_.erase(it);
    return value;
  }
  return std::nullopt;
}

absl::Status Query::CheckAllTaken() const {
  if (parameters_.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "Parameter ", Quoted(parameters_.front().first), " is not known here."));
}

}  // namespace wallprof::http
