#include "fleet/pgo/export/gcc_profile.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>

namespace wallprof::pgo {
namespace {

// From GCC's gcov-io.h and auto-profile.cc.
constexpr uint32_t kMagic = 0x67636461;  // "gcda"
constexpr uint32_t kVersion = 2;
constexpr uint32_t kStringsTag = 0xaa000000;
constexpr uint32_t kFunctionsTag = 0xac000000;
constexpr uint32_t kModulesTag = 0xae000000;
// Of value profiles, GCC reads those of indirect calls alone, and not this.
constexpr uint32_t kIndirectCall = 0;
// Lines are in the upper half; the lower is for discriminators.
constexpr int kOffsetShift = 16;

void AppendWord(uint32_t word, std::string& bytes) {
  for (int shift = 0; shift < 32; shift += 8) {
    bytes += static_cast<char>(word >> shift);
  }
}

void AppendCounter(int64_t counter, std::string& bytes) {
  AppendWord(static_cast<uint32_t>(counter), bytes);
  AppendWord(static_cast<uint32_t>(counter >> 32), bytes);
}

// GCC looks names up as they are before the first dot.
std::string_view NameForGcc(std::string_view name) {
  return name.substr(0, name.find('.'));
}

// Numbers the names.
class Names {
 public:
  void AddAllOf(const std::string& name, const FunctionCounts& function) {
    numbers_.emplace(NameForGcc(name), 0);
    for (const auto& [place, body] : function.body) {
      for (const auto& [target, count] : body.targets) {
        numbers_.emplace(NameForGcc(target), 0);
      }
    }
    for (const auto& [key, inlined] : function.inlined) {
      AddAllOf(key.second, inlined);
    }
  }

  void Number() {
    uint32_t next = 1;
    for (auto& [name, number] : numbers_) number = next++;
  }

  uint32_t NumberOf(std::string_view name) const {
    return numbers_.find(NameForGcc(name))->second;
  }

  void Append(std::string& bytes) const {
    AppendWord(static_cast<uint32_t>(numbers_.size() + 1), bytes);
    AppendName("", bytes);  // GCC believes in no number 0
    for (const auto& [name, number] : numbers_) AppendName(name, bytes);
  }

 private:
  static void AppendName(std::string_view name, std::string& bytes) {
    AppendWord(static_cast<uint32_t>(name.size() + 1), bytes);
    bytes += name;
    bytes += '\0';
  }

  std::map<std::string, uint32_t, std::less<>> numbers_;
};

void AppendFunction(const std::string& name, const FunctionCounts& function,
                    const Names& names, std::string& bytes) {
  AppendWord(names.NumberOf(name), bytes);
  AppendWord(static_cast<uint32_t>(function.body.size()), bytes);
  AppendWord(static_cast<uint32_t>(function.inlined.size()), bytes);
  for (const auto& [place, body] : function.body) {
    AppendWord(place.offset << kOffsetShift, bytes);
    AppendWord(static_cast<uint32_t>(body.targets.size()), bytes);
    AppendCounter(body.count, bytes);
    for (const auto& [target, count] : body.targets) {
      AppendWord(kIndirectCall, bytes);
      AppendCounter(names.NumberOf(target), bytes);
      AppendCounter(count, bytes);
    }
  }
  for (const auto& [key, inlined] : function.inlined) {
    AppendWord(key.first.offset << kOffsetShift, bytes);
    AppendFunction(key.second, inlined, names, bytes);
  }
}

// Entries, which nobody has counted: the first place that was met stands for
// them. GCC takes what is entered never for cold, whatever its places count.
int64_t EntriesOf(const FunctionCounts& function) {
  if (function.head > 0) return function.head;
  for (const auto& [place, body] : function.body) {
    if (body.count > 0) return body.count;
  }
  return std::max<int64_t>(function.total, 1);
}

void AppendSection(uint32_t tag, const std::string& content,
                   std::string& bytes) {
  AppendWord(tag, bytes);
  AppendWord(static_cast<uint32_t>(content.size()), bytes);
  bytes += content;
}

}  // namespace

std::string GccProfile(const FunctionTable& table) {
  Names names;
  for (const auto& [name, function] : table) names.AddAllOf(name, function);
  names.Number();
  std::string strings;
  names.Append(strings);
  std::string functions;
  AppendWord(static_cast<uint32_t>(table.size()), functions);
  for (const auto& [name, function] : table) {
    AppendCounter(EntriesOf(function), functions);
    AppendFunction(name, function, names, functions);
  }
  std::string no_modules;
  AppendWord(0, no_modules);

  std::string bytes;
  AppendWord(kMagic, bytes);
  AppendWord(kVersion, bytes);
  AppendWord(0, bytes);  // a time, which is not looked at
  AppendSection(kStringsTag, strings, bytes);
  AppendSection(kFunctionsTag, functions, bytes);
  AppendSection(kModulesTag, no_modules, bytes);
  return bytes;
}

}  // namespace wallprof::pgo
