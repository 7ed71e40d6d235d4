#include "profiler/symbolize/module_search.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "profiler/symbolize/function_search.h"
#include "profiler/symbolize/module_images.h"

namespace wallprof::symbolize {
namespace {

// An offset in the file and the address, before relocation, that it is at.
struct Place {
  uint64_t address;
  uint64_t offset;
};

// The names in the symbol tables of several images of one module: of the first
// that has one.
std::vector<std::string> NamesIn(const std::vector<const ElfImage*>& images,
                                 const std::vector<uint64_t>& addresses) {
  std::vector<std::string> names(addresses.size());
  for (const ElfImage* image : images) {
    std::vector<uint64_t> unnamed;
    for (size_t i = 0; i < addresses.size(); ++i) {
      if (names[i].empty()) unnamed.push_back(addresses[i]);
    }
    if (unnamed.empty()) break;
    std::vector<std::string> found = FindFunctions(*image, unnamed);
    auto next = found.begin();
    for (std::string& name : names) {
      if (name.empty()) name = std::move(*next++);
    }
  }
  return names;
}

// The name of an out-of-line function, of what debug information and the symbol
// table say. "helper.cold" in the latter is a part of `helper`. Where libc's
// debug information has __GI___poll, the symbol table also has poll.
std::string FunctionNameOf(const SourceFrame& source,
                           const std::string& symbol) {
  if (absl::StartsWith(source.linkage_name, "_Z")) return source.linkage_name;
  if (symbol.substr(0, symbol.find('.')) == source.name) return source.name;
  return symbol.empty() ? source.name : symbol;
}

// The name of a function that was inlined into the one called `outer_name`. One
// may be inlined into itself, by recursion or because a part of it was split
// off. Names of C that are not the source's are of no use to a reader: libc's
// read is __GI___libc_read to the linker.
std::string InlinedNameOf(const SourceFrame& source, const SourceFrame& outer,
                          const std::string& outer_name) {
  if (absl::StartsWith(source.linkage_name, "_Z")) return source.linkage_name;
  const bool itself =
      source.name == outer.name && source.linkage_name == outer.linkage_name &&
      source.start_line == outer.start_line && source.file == outer.file;
  return itself ? outer_name : source.name;
}

std::vector<FoundFrame> FramesOf(const SourceFrames& source,
                                 const std::string& symbol,
                                 const FoundFrame& place) {
  std::vector<FoundFrame> frames;
  const std::string outer =
      source.empty() ? "" : FunctionNameOf(source.back(), symbol);
  for (const SourceFrame& frame : source) {
    const bool inlined = &frame != &source.back();
    FoundFrame found;
    found.system_name =
        inlined ? InlinedNameOf(frame, source.back(), outer) : outer;
    found.found = !found.system_name.empty();
    if (!found.found) found.system_name = place.system_name;
    found.filename = frame.file;
    found.line = frame.line;
    found.start_line = frame.start_line;
    frames.push_back(std::move(found));
  }
  if (!frames.empty()) return frames;
  return {symbol.empty() ? place : FoundFrame{symbol}};
}

// Of `addresses`, which are sorted.
std::vector<SourceFrames> SourceOf(const SearchedModule& module,
                                   const ModuleImages& images,
                                   const std::vector<uint64_t>& addresses,
                                   SourceIndex& index,
                                   std::set<std::string>& missing) {
  if (!images.has_debug_information()) {
    return std::vector<SourceFrames>(addresses.size());
  }
  SourceFiles files = images.source_files();
  files.hurry = module.hurry;
  absl::StatusOr<SourceAnswers> source =
      FindSource(files, addresses, module.max_source_bytes, index);
  const std::string about =
      absl::StrCat("no lines for code in ", images.debug_path(), ": ");
  if (!source.ok()) {
    missing.insert(absl::StrCat(about, std::string(source.status().message())));
    return std::vector<SourceFrames>(addresses.size());
  }
  if (images.lacks_alternate()) source->missing.insert(kLacksAlternate);
  for (const std::string& what : source->missing) {
    missing.insert(absl::StrCat(about, what));
  }
  return std::move(source->frames);
}

}  // namespace

FoundFrame PlaceIn(const std::string& path, uint64_t address) {
  absl::string_view name = path;
  absl::ConsumeSuffix(&name, " (deleted)");
  const size_t slash = name.rfind('/');
  if (slash != absl::string_view::npos) name.remove_prefix(slash + 1);
  return {absl::StrCat(name, "+0x", absl::Hex(address)), /*found=*/false};
}

std::set<std::string> SearchModule(const SearchedModule& module,
                                   const std::vector<uint64_t>& offsets,
                                   ModuleNames& names) {
  std::vector<Place> places;
  places.reserve(offsets.size());
  for (const uint64_t offset : offsets) {
    if (const auto address = module.image.AddressOf(offset)) {
      places.push_back({*address, offset});
    } else {
      names.Add(offset, {PlaceIn(module.path, offset)});
    }
  }
  // Segments need not lie in memory in the order of the file.
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return a.address < b.address;
  });
  std::vector<uint64_t> addresses;
  addresses.reserve(places.size());
  for (const Place& place : places) addresses.push_back(place.address);

  std::set<std::string> missing;
  const ModuleImages images(module.image, module.path, module.debug_places);
  const std::vector<std::string> symbols =
      NamesIn(images.with_symbols(), addresses);
  const std::vector<SourceFrames> sources =
      SourceOf(module, images, addresses, names.source_index(), missing);
  for (size_t i = 0; i < places.size(); ++i) {
    names.Add(places[i].offset,
              FramesOf(sources[i], symbols[i],
                       PlaceIn(module.path, places[i].address)));
  }
  return missing;
}

}  // namespace wallprof::symbolize
