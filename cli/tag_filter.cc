#include "cli/tag_filter.h"

#include <re2/re2.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace wallprof::cli {
namespace {

// A unit by its singular in small letters. Units of one kind convert.
struct Unit {
  const char* name;
  char kind;
  double factor;
};
constexpr Unit kUnits[] = {
    {"b", 'b', 1},         {"byte", 'b', 1},
    {"kb", 'b', 0x1p10},   {"kilobyte", 'b', 0x1p10},
    {"mb", 'b', 0x1p20},   {"megabyte", 'b', 0x1p20},
    {"gb", 'b', 0x1p30},   {"gigabyte", 'b', 0x1p30},
    {"tb", 'b', 0x1p40},   {"terabyte", 'b', 0x1p40},
    {"ns", 't', 1},        {"nanosecond", 't', 1},
    {"us", 't', 1e3},      {"microsecond", 't', 1e3},
    {"ms", 't', 1e6},      {"millisecond", 't', 1e6},
    {"s", 't', 1e9},       {"sec", 't', 1e9},
    {"second", 't', 1e9},  {"hr", 't', 3600e9},
    {"hour", 't', 3600e9},
};

const Unit* FindUnit(const std::string& name) {
  std::string singular = absl::AsciiStrToLower(name);
  if (singular.size() > 2) {
    singular = std::string(absl::StripSuffix(singular, "s"));
  }
  const Unit* unit =
      std::find_if(std::begin(kUnits), std::end(kUnits),
                   [&singular](const Unit& u) { return singular == u.name; });
  return unit == std::end(kUnits) ? nullptr : unit;
}

// pprof's rule for labels that say no unit themselves.
std::string UnitOf(const Label& label) {
  if (!label.unit.empty()) return label.unit;
  bool is_size = label.key == "request" || label.key == "alignment";
  return is_size ? "bytes" : "";
}

// From `least` to `most`, both in `unit`; without a unit labels' numbers are
// taken as they are.
struct Range {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  std::string unit;

  bool Has(const Label& label) const {
    auto number = static_cast<double>(label.number);
    std::string from = UnitOf(label);
    if (!unit.empty() && from != unit) {
      const Unit* label_unit = FindUnit(from);
      const Unit* range_unit = FindUnit(unit);
      if (label_unit == nullptr || range_unit == nullptr ||
          label_unit->kind != range_unit->kind) {
        return false;
      }
      number *= label_unit->factor / range_unit->factor;
    }
    return least <= number && number <= most;
  }
};

// Takes "12ms" off the front of `text`. The second of two numbers is made one
// of the first one's unit.
std::optional<double> TakeNumber(absl::string_view& text, std::string& unit) {
  size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  size_t digits = sign;
  while (digits < text.size() && absl::ascii_isdigit(text[digits])) ++digits;
  size_t end = digits;
  while (end < text.size() && absl::ascii_isalpha(text[end])) ++end;
  int64_t whole = 0;
  absl::string_view number = text.substr(0, digits);
  absl::ConsumePrefix(&number, "+");
  if (digits == sign || !absl::SimpleAtoi(number, &whole)) return std::nullopt;
  std::string own_unit(text.substr(digits, end - digits));
  text.remove_prefix(end);
  auto value = static_cast<double>(whole);
  if (unit.empty()) {
    unit = own_unit;
  } else if (own_unit != unit) {
    const Unit* from = FindUnit(own_unit);
    const Unit* to = FindUnit(unit);
    if (from == nullptr || to == nullptr || from->kind != to->kind) {
      return std::nullopt;
    }
    value *= from->factor / to->factor;
  }
  return value;
}

// nullopt for what is an expression.
std::optional<Range> RangeOf(absl::string_view text) {
  Range range;
  if (absl::ConsumePrefix(&text, ":")) {
    std::optional<double> most = TakeNumber(text, range.unit);
    if (!most || !text.empty()) return std::nullopt;
    range.most = *most;
    return range;
  }
  std::optional<double> least = TakeNumber(text, range.unit);
  if (!least) return std::nullopt;
  range.least = *least;
  if (text.empty()) {
    range.most = *least;
    return range;
  }
  if (!absl::ConsumePrefix(&text, ":")) return std::nullopt;
  if (text.empty()) return range;
  std::optional<double> most = TakeNumber(text, range.unit);
  if (!most || !text.empty()) return std::nullopt;
  range.most = *most;
  return range;
}

using Patterns = std::vector<std::shared_ptr<const RE2>>;

bool AnyText(const Sample& sample, const RE2& pattern) {
  return std::any_of(
      sample.labels.begin(), sample.labels.end(), [&](const Label& label) {
        return !label.text.empty() &&
               RE2::PartialMatch(absl::StrCat(label.key, ":", label.text),
                                 pattern);
      });
}

SampleMatch MatchOfTexts(std::optional<std::string> key, Patterns patterns) {
  if (!key) {
    return [patterns](const Sample& sample) {
      return std::all_of(
          patterns.begin(), patterns.end(),
          [&](const auto& pattern) { return AnyText(sample, *pattern); });
    };
  }
  return [key = *key, patterns](const Sample& sample) {
    return std::any_of(
        sample.labels.begin(), sample.labels.end(), [&](const Label& label) {
          return label.key == key && !label.text.empty() &&
                 std::any_of(patterns.begin(), patterns.end(),
                             [&](const auto& pattern) {
                               return RE2::PartialMatch(label.text, *pattern);
                             });
        });
  };
}

}  // namespace

absl::StatusOr<SampleMatch> ParseTagFilter(const std::string& text) {
  std::optional<std::string> key;
  std::string what = text;
  if (size_t equals = text.find('='); equals != std::string::npos) {
    key = text.substr(0, equals);
    what = text.substr(equals + 1);
  }
  if (std::optional<Range> range = RangeOf(what)) {
    return [key, range = *range](const Sample& sample) {
      return std::any_of(
          sample.labels.begin(), sample.labels.end(), [&](const Label& label) {
            return label.text.empty() && (!key || label.key == *key) &&
                   range.Has(label);
          });
    };
  }
  Patterns patterns;
  for (absl::string_view expression : absl::StrSplit(what, ',')) {
    patterns.push_back(std::make_shared<const RE2>(
        re2::StringPiece(expression.data(), expression.size()), RE2::Quiet));
    if (!patterns.back()->ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(expression, ": ", patterns.back()->error()));
    }
  }
  return MatchOfTexts(std::move(key), std::move(patterns));
}

}  // namespace wallprof::cli
