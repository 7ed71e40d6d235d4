#include "profiler/symbolize/demangle.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#include "absl/strings/ascii.h"

namespace wallprof::symbolize {
namespace {

// The mangling has abbreviations for these four. c++filt writes them out,
// __cxa_demangle does not; nothing else is ever called so in a mangled name,
// where there are no typedefs.
struct Abbreviation {
  std::string_view name;
  std::string_view meaning;
};
constexpr Abbreviation kAbbreviations[] = {
    {"std::string",
     "std::basic_string<char, std::char_traits<char>, std::allocator<char> >"},
    {"std::istream", "std::basic_istream<char, std::char_traits<char> >"},
    {"std::ostream", "std::basic_ostream<char, std::char_traits<char> >"},
    {"std::iostream", "std::basic_iostream<char, std::char_traits<char> >"},
};

bool InIdentifier(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// Whether text[begin, end) is a whole name rather than a part of one.
bool StandsAlone(std::string_view text, size_t begin, size_t end) {
  const bool starts =
      begin == 0 || (!InIdentifier(text[begin - 1]) && text[begin - 1] != ':');
  return starts && (end == text.size() || !InIdentifier(text[end]));
}

const Abbreviation* AbbreviationAt(std::string_view text, size_t begin) {
  for (const Abbreviation& candidate : kAbbreviations) {
    if (text.substr(begin, candidate.name.size()) == candidate.name &&
        StandsAlone(text, begin, begin + candidate.name.size())) {
      return &candidate;
    }
  }
  return nullptr;
}

std::string WriteOut(std::string_view demangled) {
  std::string out;
  size_t copied = 0;
  for (size_t at = demangled.find("std::"); at != std::string_view::npos;
       at = demangled.find("std::", at + 1)) {
    const Abbreviation* found = AbbreviationAt(demangled, at);
    if (found == nullptr) continue;
    out.append(demangled.substr(copied, at - copied)).append(found->meaning);
    copied = at + found->name.size();
    // Two closing brackets in a row are always parted.
    if (copied < demangled.size() && demangled[copied] == '>') out += ' ';
  }
  return out.append(demangled.substr(copied));
}

}  // namespace

std::string Demangle(const std::string& system_name) {
  if (system_name.compare(0, 2, "_Z") != 0) return system_name;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(system_name.c_str(), nullptr, nullptr, &status),
      &std::free);
  if (demangled == nullptr) return system_name;
  const std::string_view name = demangled.get();
  return WriteOut(name.substr(0, name.find(" [clone ")));
}

}  // namespace wallprof::symbolize
