#include "fleet/pgo/export/llvm_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace wallprof::pgo {
namespace {

// What else than a name a line may begin with: a count, a comment, a context,
// metadata.
constexpr std::string_view kNoFirst = "0123456789#[!";

std::string ToText(const BodyPlace& place) {
  return place.discriminator == 0
             ? absl::StrCat(place.offset)
             : absl::StrCat(place.offset, ".", place.discriminator);
}

// By samples, the most first.
std::vector<std::pair<std::string, int64_t>> Sorted(
    const std::map<std::string, int64_t>& targets) {
  std::vector<std::pair<std::string, int64_t>> sorted(targets.begin(),
                                                      targets.end());
  std::stable_sort(
      sorted.begin(), sorted.end(),
      [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

void AppendBody(const FunctionCounts& function, size_t depth,
                std::string& text) {
  const std::string indent(depth, ' ');
  for (const auto& [place, body] : function.body) {
    absl::StrAppend(&text, indent, ToText(place), ": ", body.count);
    for (const auto& [name, count] : Sorted(body.targets)) {
      absl::StrAppend(&text, " ", name, ":", count);
    }
    text += '\n';
  }
  for (const auto& [key, inlined] : function.inlined) {
    absl::StrAppend(&text, indent, ToText(key.first), ": ", key.second, ":",
                    inlined.total, "\n");
    AppendBody(inlined, depth + 1, text);
  }
}

}  // namespace

bool IsLlvmName(std::string_view name) {
  return !name.empty() && kNoFirst.find(name.front()) == kNoFirst.npos &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) {
           return c == ':' || c == ' ' || absl::ascii_iscntrl(c);
         });
}

std::string LlvmText(const FunctionTable& table) {
  std::vector<FunctionTable::const_pointer> functions;
  for (const auto& entry : table) functions.push_back(&entry);
  std::stable_sort(functions.begin(), functions.end(),
                   [](const auto* a, const auto* b) {
                     return a->second.total > b->second.total;
                   });
  std::string text;
  for (const auto* entry : functions) {
    const auto& [name, function] = *entry;
    absl::StrAppend(&text, name, ":", function.total, ":", function.head, "\n");
    AppendBody(function, 1, text);
  }
  return text;
}

}  // namespace wallprof::pgo
