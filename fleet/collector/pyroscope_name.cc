#include "fleet/collector/pyroscope_name.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "http/query.h"

namespace wallprof::collector {
namespace {

struct Kind {
  std::string_view suffix;
  std::string_view type;
};
constexpr Kind kKinds[] = {
    {"cpu", "cpu"},
    {"itimer", "cpu"},
    {"wall", "wall"},
    {"alloc_objects", "heap"},
    {"alloc_space", "heap"},
    {"alloc_in_new_tlab_objects", "heap"},
    {"alloc_in_new_tlab_bytes", "heap"},
    {"inuse_objects", "heap"},
    {"inuse_space", "heap"},
    {"goroutines", "goroutine"},
    {"mutex_count", "mutex"},
    {"mutex_duration", "mutex"},
    {"block_count", "block"},
    {"block_duration", "block"},
    {"lock_count", "lockwait"},
    {"lock_duration", "lockwait"},
};

absl::Status Wrong(const std::string& text) {
  return absl::InvalidArgumentError(
      absl::StrCat("bad request: bad \"name\": ", text));
}

std::string Trimmed(absl::string_view text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

}  // namespace

absl::StatusOr<store::Series> SeriesOfPyroscopeName(std::string_view name) {
  store::Series series;
  const size_t brace = name.find('{');
  std::string service = Trimmed({name.data(), std::min(brace, name.size())});
  if (brace != std::string_view::npos) {
    absl::string_view labels(name.data() + brace + 1, name.size() - brace - 1);
    labels = absl::StripAsciiWhitespace(labels);
    if (labels.empty() || labels.back() != '}') {
      return Wrong("the closing '}' is missing");
    }
    labels.remove_suffix(1);
    for (absl::string_view pair :
         absl::StrSplit(labels, ',', absl::SkipWhitespace())) {
      std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(pair, absl::MaxSplits('=', 1));
      absl::string_view value = absl::StripAsciiWhitespace(parts.second);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      const std::string key = Trimmed(parts.first);
      if (key.empty() || value.empty()) {
        return Wrong(
            absl::StrCat(http::Quoted(std::string(pair)), " is not key=value"));
      }
      // Of the sender's, with a meaning of its own.
      if (key == "__session_id__") continue;
      series.labels.emplace_back(key, std::string(value));
    }
    std::sort(series.labels.begin(), series.labels.end());
  }
  series.type = "other";
  const size_t point = service.rfind('.');
  if (point != std::string::npos) {
    const std::string suffix = service.substr(point + 1);
    const auto* kind =
        std::find_if(std::begin(kKinds), std::end(kKinds),
                     [&](const Kind& k) { return k.suffix == suffix; });
    if (kind != std::end(kKinds)) {
      series.type = kind->type;
      service.resize(point);
    }
  }
  if (service.empty()) return Wrong("it is empty");
  series.service = std::move(service);
  return series;
}

}  // namespace wallprof::collector
