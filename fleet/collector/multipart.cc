#include "fleet/collector/multipart.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace wallprof::collector {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

// A form of a profile has three.
constexpr size_t kMaxParts = 16;

absl::string_view ToAbsl(std::string_view text) {
  return {text.data(), text.size()};
}

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("bad request: the body in parts ", std::string(what)));
}

// The value of `name` among the parameters of a header, without its quotes.
std::optional<std::string> ParameterOf(std::string_view header,
                                       std::string_view name) {
  for (absl::string_view piece : absl::StrSplit(ToAbsl(header), ';')) {
    std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(piece, absl::MaxSplits('=', 1));
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(parts.first),
                                ToAbsl(name))) {
      continue;
    }
    absl::string_view value = absl::StripAsciiWhitespace(parts.second);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return std::string(value);
  }
  return std::nullopt;
}

// The name in a part's head.
std::optional<std::string> NameIn(std::string_view head) {
  constexpr char kDisposition[] = "content-disposition:";
  for (absl::string_view line :
       absl::StrSplit(ToAbsl(head), ToAbsl(kLineEnd))) {
    if (!absl::StartsWithIgnoreCase(line, kDisposition)) continue;
    return ParameterOf({line.data(), line.size()}, "name");
  }
  return std::nullopt;
}

}  // namespace

bool IsMultipart(std::string_view content_type) {
  return absl::StartsWithIgnoreCase(ToAbsl(content_type),
                                    "multipart/form-data");
}

absl::StatusOr<std::vector<FormPart>> SplitForm(std::string_view content_type,
                                                std::string_view body) {
  const std::optional<std::string> boundary =
      ParameterOf(content_type, "boundary");
  if (!boundary.has_value() || boundary->empty()) {
    return Wrong("has no boundary in its Content-Type");
  }
  const std::string first = absl::StrCat("--", *boundary);
  const std::string next = absl::StrCat(std::string(kLineEnd), first);
  if (body.substr(0, first.size()) != first) {
    return Wrong("does not begin with its boundary");
  }
  body.remove_prefix(first.size());
  std::vector<FormPart> parts;
  while (body.substr(0, 2) != "--") {
    const size_t head_end = body.find(kHeadEnd);
    const size_t end = body.find(next);
    if (head_end == std::string_view::npos || end == std::string_view::npos ||
        end < head_end) {
      return Wrong("is cut short");
    }
    std::optional<std::string> name = NameIn(body.substr(0, head_end));
    if (!name.has_value()) return Wrong("has a part without a name");
    if (parts.size() == kMaxParts) {
      return Wrong(absl::StrCat("has more than ", kMaxParts, " parts"));
    }
    const size_t begin = head_end + kHeadEnd.size();
    parts.push_back({*std::move(name), begin <= end
                                           ? body.substr(begin, end - begin)
                                           : std::string_view()});
    body.remove_prefix(end + next.size());
  }
  return parts;
}

}  // namespace wallprof::collector
