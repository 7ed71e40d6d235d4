#include "fleet/pgo/export/line_table.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fleet/pgo/export/known_places.h"
#include "fleet/pgo/export/origin.h"
#include "fleet/pgo/profile/columns.h"
#include "profiler/profile/by_id.h"
#include "profiler/symbolize/code_places.h"
#include "profiler/symbolize/function_symbols.h"
#include "profiler/symbolize/module_images.h"

namespace wallprof::pgo {
namespace {

using symbolize::CodePlaces;

// All lines are those of one copy of a function.
constexpr uint64_t kCopy = 0;

constexpr char kNotInBinary[] = "functions that the binary has not";

// What a profile says of its locations.
class Lines {
 public:
  Lines(const Profile& profile, const std::string& path)
      : mappings_(profile.mappings), functions_(profile.functions) {
    ChooseFile(profile, FileNameOf(path));
    for (const Location& location : profile.locations) {
      places_.emplace(location.id, PlacesOf(location));
      origins_.emplace(location.id, OriginOfCode(location));
    }
  }

  const CodePlaces& places(uint64_t id) const { return places_.at(id); }

  // Empty for code that is taken for the binary's.
  const std::string& origin(uint64_t id) const { return origins_.at(id); }

 private:
  void ChooseFile(const Profile& profile, const std::string& name) {
    if (profile.mappings.empty()) return;
    const bool has_name =
        std::any_of(profile.mappings.begin(), profile.mappings.end(),
                    [&name](const Mapping& mapping) {
                      return FileNameOf(mapping.filename) == name;
                    });
    file_ = has_name ? name : FileNameOf(profile.mappings.front().filename);
  }

  CodePlaces PlacesOf(const Location& location) const {
    CodePlaces places;
    for (const Line& line : location.lines) {
      const Function* function = functions_.Find(line.function_id);
      if (function == nullptr) return {};
      const std::string& name = function->system_name.empty()
                                    ? function->name
                                    : function->system_name;
      places.push_back({WithoutPathNumber(symbolize::FunctionOfPart(name)),
                        line.line, function->start_line, 0});
    }
    return places;
  }

  std::string OriginOfCode(const Location& location) const {
    const Mapping* mapping = mappings_.Find(location.mapping_id);
    if (mapping != nullptr && FileNameOf(mapping->filename) != file_) {
      return OriginOf(mapping);
    }
    if (location.lines.empty()) return "no functions";
    const std::string pseudo = PseudoOriginOf(location, functions_);
    return pseudo.front() == '[' ? pseudo : "";
  }

  const ById<Mapping> mappings_;
  const ById<Function> functions_;
  std::string file_;  // what is taken for the binary
  absl::flat_hash_map<uint64_t, CodePlaces> places_;
  absl::flat_hash_map<uint64_t, std::string> origins_;
};

// The functions that locations are in and the binary has.
std::vector<symbolize::FunctionSymbol> KnownFunctions(
    const Profile& profile, const Lines& lines,
    const symbolize::ElfImage& image, const std::string& path,
    const symbolize::DebugPlaces& places) {
  std::set<std::string> named;
  for (const Location& location : profile.locations) {
    const CodePlaces& chain = lines.places(location.id);
    if (!chain.empty()) named.insert(chain.back().function);
  }
  const symbolize::ModuleImages images(image, path, places);
  const auto with_symbols = images.with_symbols();
  if (with_symbols.empty()) return {};
  return symbolize::FunctionSymbolsNamed(
      *with_symbols.front(), [&named](const std::string& name) {
        return named.count(
                   WithoutPathNumber(symbolize::FunctionOfPart(name))) != 0;
      });
}

// What the binary calls functions, by their names without numbers. Of local
// ones of one name the first.
using Names = std::map<std::string, std::string>;

Names NamesOf(const std::vector<symbolize::FunctionSymbol>& functions) {
  Names names;
  for (const symbolize::FunctionSymbol& function : functions) {
    const std::string name = symbolize::FunctionOfPart(function.name);
    names.emplace(WithoutPathNumber(name), name);
  }
  return names;
}

absl::Status TooFewKnown(const LineTable& table, const std::string& path) {
  return absl::FailedPreconditionError(absl::StrFormat(
      "%s: %.0f %% of the profile's samples are in functions that the binary "
      "has; with less than %.0f %% it is taken for another program. Functions "
      "are told by linkage names, so that the profile must have them, and the "
      "binary its symbols",
      path, 100 * table.known, 100 * kLeastKnown));
}

double ShareOf(int64_t part, int64_t whole) {
  return whole == 0 ? 0
                    : static_cast<double>(part) / static_cast<double>(whole);
}

// Counts samples of whole stacks.
class LineCounter {
 public:
  LineCounter(const Lines& lines, const Names& known, const KnownPlaces& places)
      : lines_(lines), known_(known), places_(places) {}

  void Add(const Sample& sample) {
    const int64_t count = sample.values[kSamplesColumn];
    if (count == 0) return;
    table_.total += count;
    if (sample.location_ids.empty()) {
      table_.elsewhere["no frames"] += count;
      return;
    }
    const uint64_t leaf = sample.location_ids.front();
    const std::string& origin = lines_.origin(leaf);
    if (!origin.empty()) {
      table_.elsewhere[origin] += count;
    } else if (!IsKnown(leaf)) {
      table_.elsewhere[kNotInBinary] += count;
    } else {
      table_.matched += count;
      at_[leaf] += count;
    }
    AddCalls(sample, count);
  }

  LineTable Take() && {
    table_.known = ShareOf(table_.matched, table_.matched + Unknown());
    TableBuilder builder(Discriminators::kBase);
    int64_t found = 0;
    for (const auto& [location, count] : at_) {
      CodePlaces places = NamedPlaces(location);
      std::set<uint32_t> pieces;
      if (places_.Complete(places, pieces)) found += count;
      builder.Add(places, kCopy, count);
      for (uint32_t piece : pieces) {
        places.front().discriminator = piece;
        builder.AddPiece(places, kCopy, count);
      }
    }
    table_.found = ShareOf(found, table_.matched);
    for (const auto& [ends, count] : calls_) {
      CodePlaces call = NamedPlaces(ends.first);
      std::set<uint32_t> pieces;
      places_.Complete(call, pieces);
      builder.AddCall(call, kCopy, NamedPlaces(ends.second), count);
    }
    table_.functions = std::move(builder).Finish(table_.figures);
    return std::move(table_);
  }

 private:
  bool IsKnown(uint64_t location) const {
    const CodePlaces& places = lines_.places(location);
    return lines_.origin(location).empty() && !places.empty() &&
           known_.count(places.back().function) != 0;
  }

  // The function itself as the binary calls it.
  CodePlaces NamedPlaces(uint64_t location) const {
    CodePlaces places = lines_.places(location);
    places.back().function = known_.at(places.back().function);
    return places;
  }

  int64_t Unknown() const {
    const auto found = table_.elsewhere.find(kNotInBinary);
    return found == table_.elsewhere.end() ? 0 : found->second;
  }

  void AddCalls(const Sample& sample, int64_t count) {
    std::set<std::pair<uint64_t, uint64_t>> seen;
    for (size_t i = 1; i < sample.location_ids.size(); ++i) {
      const uint64_t callee = sample.location_ids[i - 1];
      const uint64_t call = sample.location_ids[i];
      if (!IsKnown(callee) || !IsKnown(call)) continue;
      if (seen.emplace(call, callee).second) calls_[{call, callee}] += count;
    }
  }

  const Lines& lines_;
  const Names& known_;
  const KnownPlaces& places_;
  std::map<uint64_t, int64_t> at_;  // by location
  std::map<std::pair<uint64_t, uint64_t>, int64_t> calls_;
  LineTable table_;
};

}  // namespace

absl::StatusOr<LineTable> TableOfLines(
    const Profile& profile, const symbolize::ElfImage& image,
    const std::string& path, const symbolize::DebugPlaces& debug_places) {
  const Lines lines(profile, path);
  const std::vector<symbolize::FunctionSymbol> functions =
      KnownFunctions(profile, lines, image, path, debug_places);
  const absl::StatusOr<KnownPlaces> places =
      KnownPlaces::Find(image, path, debug_places, functions);
  if (!places.ok()) return places.status();
  const Names known = NamesOf(functions);
  LineCounter counter(lines, known, *places);
  for (const Sample& sample : profile.samples) counter.Add(sample);
  LineTable table = std::move(counter).Take();
  if (table.known < kLeastKnown) return TooFewKnown(table, path);
  if (table.figures.written > 0 && table.figures.placed == 0) {
    return absl::FailedPreconditionError(
        "no function of the profile tells the line that it begins at, from "
        "which places in it are counted");
  }
  return table;
}

}  // namespace wallprof::pgo
