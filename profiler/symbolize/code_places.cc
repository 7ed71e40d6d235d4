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

// What is appended to names of parts and copies, and whether something follows
// it: a number, or what makes a name unique. ".__uniq.N" is not among them: it
// stands in for what the name lacks, and clang looks functions up by it.
struct Suffix {
  std::string_view text;
  bool followed;
};
constexpr Suffix kSuffixes[] = {
    {".cold", false},       // GCC, LLVM: what is hardly ever reached
    {".cold.", true},       // the same, numbered
    {".part.", true},       // GCC: an inlined beginning without it
    {".isra.", true},       // GCC: other parameters
    {".constprop.", true},  // GCC: constant parameters
    {".lto_priv.", true},   // GCC: a local one made known to other parts
    {".llvm.", true},       // LLVM: the same
    {".__part.", true},     // LLVM: a section of basic blocks
};

bool IsNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// The name without its last suffix; the same if it has none.
std::string_view WithoutSuffix(std::string_view name) {
  for (const Suffix& suffix : kSuffixes) {
    const size_t at = name.rfind(suffix.text);
    if (at == std::string_view::npos || at == 0) continue;
    const std::string_view rest = name.substr(at + suffix.text.size());
    if (suffix.followed ? IsNumber(rest) : rest.empty()) {
      return name.substr(0, at);
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

}  // namespace

std::string FunctionOfPart(const std::string& name) {
  std::string_view rest = name;
  for (std::string_view shorter = WithoutSuffix(rest); shorter != rest;
       shorter = WithoutSuffix(rest)) {
    rest = shorter;
  }
  return std::string(rest);
}

absl::StatusOr<CodePlaceAnswers> FindCodePlaces(
    const ElfImage& image, const std::string& path,
    const DebugPlaces& debug_places, const std::vector<uint64_t>& addresses,
    size_t max_bytes) {
  const ModuleImages images(image, path, debug_places);
  if (!images.has_debug_information()) {
    return absl::NotFoundError("no debug information");
  }
  SourceIndex index;
  absl::StatusOr<SourceAnswers> source =
      FindSource(images.source_files(), addresses, max_bytes, index);
  if (!source.ok()) return source.status();
  CodePlaceAnswers answers;
  answers.missing = std::move(source->missing);
  if (images.lacks_alternate()) answers.missing.insert(kLacksAlternate);
  answers.places.resize(addresses.size());
  std::vector<size_t> unnamed;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const SourceFrames frames = std::exchange(source->frames[i], {});
    if (!HasFunction(frames)) continue;
    if (frames.back().linkage_name.empty()) unnamed.push_back(i);
    answers.places[i] = PlacesOf(frames);
  }
  if (!unnamed.empty()) {
    NameBySymbols(*images.with_symbols().front(), addresses, unnamed,
                  answers.places);
  }
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
