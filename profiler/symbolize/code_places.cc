#include "profiler/symbolize/code_places.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "profiler/symbolize/dwarf/row_search.h"
#include "profiler/symbolize/dwarf/source_index.h"
#include "profiler/symbolize/function_symbols.h"
#include "profiler/symbolize/module_images.h"
#include "profiler/symbolize/source_frame.h"

namespace wallprof::symbolize {
namespace {

// Addresses that are looked for at a time. Each takes up to some kilobytes,
// with the names of files that are then left out; the others wait.
constexpr size_t kAddressesAtATime = size_t{16} << 10;

// What is appended to names of parts and copies, with a number. ".__uniq" is
// not among them: it stands in for what the name lacks, and clang looks
// functions up by it.
constexpr std::string_view kNumbered[] = {
    ".cold",       // GCC, LLVM: what is hardly ever reached
    ".part",       // GCC: an inlined beginning is missing
    ".isra",       // GCC: other parameters
    ".constprop",  // GCC: constant parameters
    ".lto_priv",   // GCC: a local one, made known to other parts
    ".llvm",       // LLVM: the same
    ".__part",     // LLVM: a section of basic blocks
};

bool IsNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// The name without its last suffix; the same if it has none.
std::string_view WithoutSuffix(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return name;
  const std::string_view last = name.substr(dot + 1);
  const std::string_view rest = name.substr(0, dot);
  if (last == "cold") return rest;
  if (!IsNumber(last)) return name;
  for (const std::string_view suffix : kNumbered) {
    if (rest.size() > suffix.size() && rest.ends_with(suffix)) {
      return rest.substr(0, rest.size() - suffix.size());
    }
  }
  return name;
}

// Assembly code has lines and no functions.
bool HasFunction(const SourceFrames& frames) {
  return frames.size() > 1 ||
         (frames.size() == 1 &&
          !(frames[0].name.empty() && frames[0].linkage_name.empty()));
}

CodePlaces PlacesOf(const SourceFrames& frames) {
  CodePlaces places;
  places.reserve(frames.size());
  for (const SourceFrame& frame : frames) {
    places.push_back(
        {FunctionOfPart(frame.linkage_name.empty() ? frame.name
                                                   : frame.linkage_name),
         frame.line, frame.declared_line, frame.discriminator});
  }
  return places;
}

// GCC leaves out linkage names of functions of C++ that no other file can see.
// Their symbols have them.
void NameBySymbols(const ElfImage& image,
                   const std::vector<uint64_t>& addresses,
                   const std::vector<size_t>& unnamed,
                   std::vector<CodePlaces>& places) {
  std::vector<uint64_t> asked;
  asked.reserve(unnamed.size());
  for (const size_t i : unnamed) asked.push_back(addresses[i]);
  const std::vector<FunctionSymbol> symbols = FindFunctionSymbols(image, asked);
  for (size_t i = 0; i < unnamed.size(); ++i) {
    if (!absl::StartsWith(symbols[i].name, "_Z")) continue;
    places[unnamed[i]].back().function = FunctionOfPart(symbols[i].name);
  }
}

// Of some of the addresses. What is missing is added to `missing`.
absl::StatusOr<std::vector<CodePlaces>> FindSome(
    const ModuleImages& images, const std::vector<uint64_t>& addresses,
    size_t max_bytes, SourceIndex& index, std::set<std::string>& missing) {
  absl::StatusOr<SourceAnswers> source =
      FindSource(images.source_files(), addresses, max_bytes, index);
  if (!source.ok()) return source.status();
  missing.merge(source->missing);
  std::vector<CodePlaces> places(addresses.size());
  std::vector<size_t> unnamed;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const SourceFrames frames = std::exchange(source->frames[i], {});
    if (!HasFunction(frames)) continue;
    if (frames.back().linkage_name.empty()) unnamed.push_back(i);
    places[i] = PlacesOf(frames);
  }
  if (!unnamed.empty()) {
    NameBySymbols(*images.with_symbols().front(), addresses, unnamed, places);
  }
  return places;
}

}  // namespace

std::string FunctionOfPart(const std::string& name) {
  std::string_view rest = name;
  for (std::string_view shorter = WithoutSuffix(rest); shorter != rest;
       shorter = WithoutSuffix(rest)) {
    rest = shorter;
  }
  return std::string(rest);
}

absl::StatusOr<std::set<std::string>> VisitCodePlaces(
    const ElfImage& image, const std::string& path,
    const DebugPlaces& debug_places, const std::vector<uint64_t>& addresses,
    size_t max_bytes,
    const std::function<void(size_t index, CodePlaces places)>& visit) {
  const ModuleImages images(image, path, debug_places);
  if (!images.has_debug_information()) {
    return absl::NotFoundError("no debug information");
  }
  std::set<std::string> missing;
  if (images.lacks_alternate()) missing.insert(kLacksAlternate);
  SourceIndex index;
  for (size_t begin = 0; begin < addresses.size();) {
    const size_t end = std::min(begin + kAddressesAtATime, addresses.size());
    absl::StatusOr<std::vector<CodePlaces>> places =
        FindSome(images, {addresses.begin() + begin, addresses.begin() + end},
                 max_bytes, index, missing);
    if (!places.ok()) return places.status();
    for (size_t i = begin; i < end; ++i) {
      visit(i, std::move((*places)[i - begin]));
    }
    begin = end;
  }
  return missing;
}

absl::StatusOr<CodePlaceAnswers> FindCodePlaces(
    const ElfImage& image, const std::string& path,
    const DebugPlaces& debug_places, const std::vector<uint64_t>& addresses,
    size_t max_bytes) {
  CodePlaceAnswers answers;
  answers.places.resize(addresses.size());
  absl::StatusOr<std::set<std::string>> missing =
      VisitCodePlaces(image, path, debug_places, addresses, max_bytes,
                      [&answers](size_t index, CodePlaces places) {
                        answers.places[index] = std::move(places);
                      });
  if (!missing.ok()) return missing.status();
  answers.missing = *std::move(missing);
  return answers;
}

absl::StatusOr<std::vector<uint64_t>> FindRowAddresses(
    const ElfImage& image, const std::string& path,
    const DebugPlaces& debug_places, const std::vector<AddressRange>& ranges,
    size_t max_bytes) {
  const ModuleImages images(image, path, debug_places);
  if (!images.has_debug_information()) {
    return absl::NotFoundError("no debug information");
  }
  return FindRowAddresses(images.source_files(), ranges, max_bytes);
}

}  // namespace wallprof::symbolize
