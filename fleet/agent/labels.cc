#include "fleet/agent/labels.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace wallprof::agent {
namespace {

constexpr size_t kEscapeLength = 3;  // %XX

bool IsPlain(unsigned char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~';
}

bool IsEscape(std::string_view text) {
  return text.size() >= kEscapeLength && text[0] == '%' &&
         absl::ascii_isxdigit(static_cast<unsigned char>(text[1])) &&
         absl::ascii_isxdigit(static_cast<unsigned char>(text[2]));
}

absl::string_view ToAbsl(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

std::string Escape(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsPlain(byte)) {
      escaped += c;
    } else {
      escaped += {'%', kDigits[byte >> 4], kDigits[byte & 0xf]};
    }
  }
  return escaped;
}

std::string Unescape(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    if (IsEscape(text)) {
      plain += absl::HexStringToBytes(ToAbsl(text.substr(1, 2)));
      text.remove_prefix(kEscapeLength);
    } else {
      plain += text[0] == '+' ? ' ' : text[0];
      text.remove_prefix(1);
    }
  }
  return plain;
}

std::string FormatLabels(const AgentLabels& labels) {
  return absl::StrJoin(labels, ",", [](std::string* out, const auto& label) {
    absl::StrAppend(out, Escape(label.first), "=", Escape(label.second));
  });
}

AgentLabels ParseLabels(std::string_view text) {
  AgentLabels labels;
  for (absl::string_view pair : absl::StrSplit(ToAbsl(text), ',')) {
    std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const auto plain = [](absl::string_view part) {
      part = absl::StripAsciiWhitespace(part);
      return Unescape({part.data(), part.size()});
    };
    std::string key = plain(parts.first);
    if (!key.empty()) labels.emplace_back(key, plain(parts.second));
  }
  return labels;
}

bool HasLabel(const AgentLabels& labels, std::string_view key) {
  return std::any_of(labels.begin(), labels.end(),
                     [key](const auto& label) { return label.first == key; });
}

AgentLabels WithoutEmpty(const AgentLabels& labels) {
  AgentLabels kept;
  std::copy_if(labels.begin(), labels.end(), std::back_inserter(kept),
               [](const auto& label) { return !label.second.empty(); });
  return kept;
}

}  // namespace wallprof::agent
