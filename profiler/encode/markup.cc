#include "profiler/encode/markup.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace wallprof {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

bool IsContinuation(char c) { return (c & 0xc0) == 0x80; }

// The form of a character that starts with a byte from `first` to `last`.
struct Form {
  unsigned char first;
  unsigned char last;
  size_t bytes;
  uint32_t least;  // what needs that many bytes
};
constexpr Form kForms[] = {{0x00, 0x7f, 1, 0},
                           {0xc2, 0xdf, 2, 0x80},
                           {0xe0, 0xef, 3, 0x800},
                           {0xf0, 0xf4, 4, 0x10000}};

// What XML 1.0 calls a character.
bool IsXmlCharacter(uint32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
  return c < 0xd800 || (c >= 0xe000 && c < 0xfffe) ||
         (c >= 0x10000 && c < 0x110000);
}

// Bytes of the character that `text` starts with; 0 if it is none.
size_t CharacterSize(std::string_view text) {
  auto lead = static_cast<unsigned char>(text[0]);
  const Form* form = std::find_if(
      std::begin(kForms), std::end(kForms),
      [lead](const Form& f) { return f.first <= lead && lead <= f.last; });
  if (form == std::end(kForms) || text.size() < form->bytes) return 0;
  if (form->bytes == 1) return IsXmlCharacter(lead) ? 1 : 0;
  uint32_t code = lead & (0x7f >> form->bytes);
  for (size_t i = 1; i < form->bytes; ++i) {
    if (!IsContinuation(text[i])) return 0;
    code = code << 6 | (text[i] & 0x3f);
  }
  return code >= form->least && IsXmlCharacter(code) ? form->bytes : 0;
}

}  // namespace

std::string ValidText(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    size_t size = CharacterSize(text);
    valid += size == 0 ? kReplacement : text.substr(0, size);
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return valid;
}

std::string MarkupText(std::string_view text) {
  std::string markup;
  for (char c : ValidText(text)) {
    switch (c) {
      case '&':
        markup += "&amp;";
        break;
      case '<':
        markup += "&lt;";
        break;
      case '>':
        markup += "&gt;";
        break;
      case '"':
        markup += "&quot;";
        break;
      default:
        markup += c;
    }
  }
  return markup;
}

std::string Shortened(std::string_view valid, size_t most) {
  constexpr size_t kDots = 2;
  size_t kept_bytes = 0;  // of the characters that fit beside the dots
  size_t characters = 0;
  for (size_t i = 0; i < valid.size(); ++i) {
    if (IsContinuation(valid[i])) continue;
    if (characters + kDots == most) kept_bytes = i;
    ++characters;
  }
  if (characters <= most) return std::string(valid);
  if (most < kDots + 1) return "";
  return std::string(valid.substr(0, kept_bytes)) + "..";
}

}  // namespace wallprof
