#include "wallprof/formats.h"

#include <algorithm>

#include "profiler/encode/foreign/recognize.h"

namespace wallprof {
namespace {

// What asks for a format, at a path's end or by name.
struct Word {
  std::string_view text;
  Format format;
};

constexpr Word kSuffixes[] = {
    {".folded", Format::kFolded},
    {".txt", Format::kFolded},
    {".pb.gz", Format::kPprof},
    {".pprof", Format::kPprof},
    {".speedscope.json", Format::kSpeedscope},  // before .json
    {".trace.json", Format::kChrome},
    {".svg", Format::kSvg},
    {".html", Format::kHtml},
    {".json", Format::kJson},
};

constexpr Word kNames[] = {
    {"folded", Format::kFolded},
    {"pprof", Format::kPprof},
    {"speedscope", Format::kSpeedscope},
    {"svg", Format::kSvg},
    {"html", Format::kHtml},
    {"json", Format::kJson},
    {"chrome", Format::kChrome},
};

bool EndsWith(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() &&
         text.substr(text.size() - suffix.size()) == suffix;
}

// Folded stacks are lines of text. A profile.proto is never that: its first
// bytes are a field and its length, below the printable ones.
bool IsText(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' &&
           c != '\t';
  });
}

}  // namespace

std::optional<Format> FormatOfPath(std::string_view path) {
  for (const Word& suffix : kSuffixes) {
    if (EndsWith(path, suffix.text)) return suffix.format;
  }
  return std::nullopt;
}

std::optional<Format> FormatOfName(std::string_view name) {
  for (const Word& word : kNames) {
    if (word.text == name) return word.format;
  }
  return std::nullopt;
}

bool ShowsTime(Format format) {
  return format == Format::kSpeedscope || format == Format::kChrome;
}

std::string Encode(const Profile& profile, Format format,
                   const FoldedOptions& folded) {
  switch (format) {
    case Format::kFolded:
      return EncodeFolded(profile, folded);
    case Format::kPprof:
      return EncodePprof(profile);
    case Format::kSpeedscope:
      return EncodeSpeedscope(profile);
    case Format::kSvg:
      return EncodeSvg(profile);
    case Format::kHtml:
      return EncodeHtml(profile);
    case Format::kJson:
      return EncodeJson(profile);
    case Format::kChrome:
      return EncodeChromeTrace(profile);
  }
  return "";
}

absl::StatusOr<Profile> Decode(std::string_view bytes) {
  if (IsGperftoolsCpu(bytes)) return DecodeGperftoolsCpu(bytes);
  if (IsText(bytes)) {
    return IsPerfScript(bytes) ? DecodePerfScript(bytes) : DecodeFolded(bytes);
  }
  return DecodePprof(bytes);
}

}  // namespace wallprof
