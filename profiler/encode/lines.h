// Text taken apart from the front: lines of a file, words of a line.
#ifndef WALLPROF_PROFILER_ENCODE_LINES_H_
#define WALLPROF_PROFILER_ENCODE_LINES_H_

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace wallprof {

inline constexpr std::string_view kBlanks = " \t";

// Removes the first line and returns it without its end.
inline std::string_view TakeLine(std::string_view& text) {
  size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

inline std::string_view Trimmed(std::string_view text) {
  size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Removes the first word, and the blanks around it; empty if there is none.
inline std::string_view TakeWord(std::string_view& text) {
  text = Trimmed(text);
  size_t end = std::min(text.find_first_of(kBlanks), text.size());
  std::string_view word = text.substr(0, end);
  text = Trimmed(text.substr(end));
  return word;
}

// All of `text` as a number in `base`; nullopt if it is none, or too large.
template <typename Number>
std::optional<Number> NumberOf(std::string_view text, int base = 10) {
  Number number = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_LINES_H_
