#include "fleet/pgo/export/known_places.h"

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "fleet/pgo/export/code_ranges.h"
#include "fleet/pgo/export/discriminator.h"

namespace wallprof::pgo {
namespace {

using symbolize::CodePlace;
using symbolize::CodePlaces;

// What two builds have in common of a place; empty where lines are not known.
std::string KeyOf(const CodePlaces& places) {
  std::string key;
  for (const CodePlace& place : places) {
    if (place.line <= 0 || place.declared_line <= 0) return "";
    absl::StrAppend(&key, WithoutPathNumber(place.function), "\n",
                    place.line - place.declared_line, "\n");
  }
  return key;
}

std::vector<std::string> FunctionsOf(const CodePlaces& places) {
  std::vector<std::string> functions;
  for (const CodePlace& place : places) functions.push_back(place.function);
  return functions;
}

std::vector<uint32_t> BasesOf(const CodePlaces& places) {
  std::vector<uint32_t> bases;
  for (const CodePlace& place : places) {
    bases.push_back(BaseDiscriminator(place.discriminator));
  }
  return bases;
}

}  // namespace

std::string WithoutPathNumber(const std::string& function) {
  constexpr std::string_view kMark = ".__uniq.";
  const size_t begin = function.find(kMark);
  if (begin == function.npos) return function;
  size_t end = begin + kMark.size();
  while (end < function.size() && absl::ascii_isdigit(function[end])) ++end;
  return function.substr(0, begin) + function.substr(end);
}

absl::StatusOr<KnownPlaces> KnownPlaces::Find(
    const symbolize::ElfImage& image, const std::string& path,
    const symbolize::DebugPlaces& debug_places,
    const std::vector<symbolize::FunctionSymbol>& functions) {
  KnownPlaces known;
  const absl::StatusOr<std::vector<uint64_t>> rows =
      symbolize::FindRowAddresses(image, path, debug_places,
                                  RangesOf(functions), kMostDebugBytes);
  if (absl::IsNotFound(rows.status())) return known;
  absl::Status s = rows.status();
  if (s.ok()) {
    const auto add = [&known](size_t, const CodePlaces& places) {
      const std::string key = KeyOf(places);
      if (key.empty()) return;
      const std::vector<uint32_t> bases = BasesOf(places);
      Known& held = known.known_[key];
      if (held.chain.empty() || bases < held.chain) {
        held.chain = bases;
        held.functions = FunctionsOf(places);
      }
      held.pieces.insert(bases.front());
    };
    s = symbolize::VisitCodePlaces(image, path, debug_places, *rows,
                                   kMostDebugBytes, add)
            .status();
  }
  if (!s.ok()) {
    return absl::Status(s.code(), absl::StrCat(path, ": ", s.message()));
  }
  return known;
}

bool KnownPlaces::Complete(CodePlaces& places,
                           std::set<uint32_t>& pieces) const {
  const std::string key = KeyOf(places);
  if (key.empty()) return false;
  const auto found = known_.find(key);
  if (found == known_.end()) return false;
  for (size_t i = 0; i < places.size(); ++i) {
    places[i].function = found->second.functions[i];
    places[i].discriminator = found->second.chain[i];
  }
  pieces = found->second.pieces;
  return true;
}

}  // namespace wallprof::pgo
