#include "fleet/store/selector.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace wallprof::store {
namespace {

// A program of RE2's; patterns of people take a few KiB.
constexpr int64_t kMaxPatternMemory = int64_t{1} << 20;

// Matchers beyond it are no query of a person's.
constexpr size_t kMaxMatchers = 32;

std::string_view NameOf(Matcher::Operator op) {
  switch (op) {
    case Matcher::Operator::kEqual:
      return "=";
    case Matcher::Operator::kNotEqual:
      return "!=";
    case Matcher::Operator::kMatches:
      return "=~";
    case Matcher::Operator::kNotMatches:
      return "!~";
  }
  return "";
}

bool IsPattern(Matcher::Operator op) {
  return op == Matcher::Operator::kMatches ||
         op == Matcher::Operator::kNotMatches;
}

bool IsNameByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         c == '.' || c == '-' || c == '/' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Reads the text from left to right; what is wrong is said with its place.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Matcher>> ReadAll() {
    std::vector<Matcher> matchers;
    const bool in_braces = Take("{");
    while (!AtEnd() && !(in_braces && Peek() == '}')) {
      absl::StatusOr<Matcher> matcher = ReadMatcher();
      if (!matcher.ok()) return matcher.status();
      matchers.push_back(*std::move(matcher));
      if (matchers.size() > kMaxMatchers) {
        return Wrong(absl::StrCat("more than ", kMaxMatchers, " conditions"));
      }
      if (!Take(",")) break;
    }
    if (in_braces && !Take("}")) return Wrong("'}' or ',' expected");
    if (!AtEnd()) return Wrong("',' expected");
    return matchers;
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() &&
           absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) {
      ++at_;
    }
  }

  bool AtEnd() {
    SkipSpace();
    return at_ == text_.size();
  }

  char Peek() {
    SkipSpace();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool Take(std::string_view token) {
    SkipSpace();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  absl::Status Wrong(std::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(
        std::string(what), " at character ", at_ + 1, " of the selector"));
  }

  absl::StatusOr<Matcher> ReadMatcher() {
    Matcher matcher;
    SkipSpace();
    while (at_ < text_.size() && IsNameByte(text_[at_])) {
      matcher.name += text_[at_++];
    }
    if (matcher.name.empty()) return Wrong("a name expected");
    using Operator = Matcher::Operator;
    // Longer ones first: "=" begins "=~".
    constexpr Operator kOperators[] = {Operator::kMatches,
                                       Operator::kNotMatches,
                                       Operator::kNotEqual, Operator::kEqual};
    const auto* op =
        std::find_if(std::begin(kOperators), std::end(kOperators),
                     [this](Operator op) { return Take(NameOf(op)); });
    if (op == std::end(kOperators)) {
      return Wrong("one of =, !=, =~, !~ expected");
    }
    matcher.op = *op;
    if (absl::Status s = ReadValue(matcher.value); !s.ok()) return s;
    if (!IsPattern(matcher.op)) return matcher;
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_max_mem(kMaxPatternMemory);
    auto pattern = std::make_shared<re2::RE2>(matcher.value, options);
    if (!pattern->ok()) {
      return Wrong(absl::StrCat("the pattern is wrong (", pattern->error(),
                                "), which ends"));
    }
    matcher.pattern = std::move(pattern);
    return matcher;
  }

  absl::Status ReadValue(std::string& value) {
    if (!Take("\"")) return Wrong("'\"' expected");
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] != '\\') {
        value += text_[at_++];
        continue;
      }
      ++at_;
      if (at_ == text_.size()) break;
      const char escaped = text_[at_++];
      switch (escaped) {
        case 'n':
          value += '\n';
          break;
        case '"':
        case '\\':
          value += escaped;
          break;
        default:
          // As it stands: "\d" of a pattern need not be written "\\d".
          value += '\\';
          value += escaped;
      }
    }
    if (at_ == text_.size()) return Wrong("the closing '\"' expected");
    ++at_;
    return absl::OkStatus();
  }

  const std::string_view text_;
  size_t at_ = 0;
};

bool ValueMatches(const Matcher& matcher, const std::string& value) {
  switch (matcher.op) {
    case Matcher::Operator::kEqual:
    case Matcher::Operator::kNotEqual:
      return value == matcher.value;
    case Matcher::Operator::kMatches:
    case Matcher::Operator::kNotMatches:
      return re2::RE2::FullMatch(value, *matcher.pattern);
  }
  return false;
}

// Whether any of the values that `series` has for the name is the one looked
// for, negation aside.
bool AnyMatches(const Matcher& matcher, const Series& series) {
  if (matcher.name == "service") return ValueMatches(matcher, series.service);
  if (matcher.name == "type") return ValueMatches(matcher, series.type);
  bool is_there = false;
  for (const auto& [key, value] : series.labels) {
    if (key != matcher.name) continue;
    if (ValueMatches(matcher, value)) return true;
    is_there = true;
  }
  return !is_there && ValueMatches(matcher, "");
}

}  // namespace

absl::StatusOr<Selector> Selector::Parse(std::string_view text) {
  absl::StatusOr<std::vector<Matcher>> matchers = Reader(text).ReadAll();
  if (!matchers.ok()) return matchers.status();
  Selector selector;
  selector.matchers_ = *std::move(matchers);
  return selector;
}

void Selector::Require(std::string_view name, std::string_view value) {
  Matcher matcher;
  matcher.name = name;
  matcher.value = value;
  matchers_.push_back(std::move(matcher));
}

bool Selector::Matches(const Series& series) const {
  return std::all_of(
      matchers_.begin(), matchers_.end(), [&](const Matcher& matcher) {
        const bool is_negated = matcher.op == Matcher::Operator::kNotEqual ||
                                matcher.op == Matcher::Operator::kNotMatches;
        return AnyMatches(matcher, series) != is_negated;
      });
}

std::optional<std::string> Selector::ValueOf(std::string_view name) const {
  for (const Matcher& matcher : matchers_) {
    if (matcher.op == Matcher::Operator::kEqual && matcher.name == name) {
      return matcher.value;
    }
  }
  return std::nullopt;
}

}  // namespace wallprof::store
