#include "http/server/request_head.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace wallprof::http {

namespace {

constexpr absl::string_view kDroppedHeaders[] = {"range:", "accept-encoding:"};

constexpr absl::string_view kContentType = "Content-Type:";

}  // namespace

bool IsClean(std::string_view head) {
  for (size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    if (c == '\r' && i + 1 < head.size() && head[i + 1] == '\n') {
      ++i;
    } else if ((static_cast<unsigned char>(c) < ' ' && c != '\t') ||
               c == '\x7f') {
      return false;
    }
  }
  return true;
}

std::string WithoutDropped(std::string_view head) {
  std::string kept;
  while (!head.empty()) {
    size_t end = std::min(head.find('\n'), head.size() - 1) + 1;
    absl::string_view line(head.data(), end);
    if (std::none_of(std::begin(kDroppedHeaders), std::end(kDroppedHeaders),
                     [line](absl::string_view name) {
                       return absl::StartsWithIgnoreCase(line, name);
                     })) {
      absl::StrAppend(&kept, line);
    }
    head.remove_prefix(end);
  }
  return kept;
}

std::string WithPartsHidden(std::string_view head) {
  std::string hidden;
  for (absl::string_view line :
       absl::StrSplit(absl::string_view(head.data(), head.size()), "\r\n")) {
    const bool is_parts =
        absl::StartsWithIgnoreCase(line, kContentType) &&
        absl::StartsWithIgnoreCase(
            absl::StripLeadingAsciiWhitespace(line.substr(kContentType.size())),
            "multipart/");
    if (is_parts) {
      absl::StrAppend(&hidden, kHiddenContentType, ":",
                      line.substr(kContentType.size()), "\r\n");
    } else {
      absl::StrAppend(&hidden, line, "\r\n");
    }
  }
  // The last line had no end.
  hidden.resize(hidden.size() - 2);
  return hidden;
}

}  // namespace wallprof::http
