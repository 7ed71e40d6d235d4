#include "fleet/pgo/export/code_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fleet/pgo/export/code_ranges.h"
#include "fleet/pgo/export/density.h"
#include "profiler/symbolize/code_places.h"
#include "profiler/symbolize/function_symbols.h"
#include "profiler/symbolize/module_images.h"

namespace wallprof::pgo {
namespace {

using symbolize::CodePlaces;
using symbolize::FunctionSymbol;

// Of the section in which compilers leave their names.
constexpr size_t kMostCommentBytes = 64 << 10;

// What LLVM's compilers call themselves there. Linkers leave GCC's name with
// what starts every program.
constexpr const char* kLlvmCompilers[] = {"clang", "rustc", "swift"};

Discriminators DiscriminatorsOf(const symbolize::ElfImage& image) {
  const std::string compilers = image.Content(".comment", kMostCommentBytes);
  if (!absl::StrContains(compilers, "GCC: ")) return Discriminators::kLlvm;
  for (const char* name : kLlvmCompilers) {
    if (absl::StrContains(compilers, name)) return Discriminators::kLlvm;
  }
  return Discriminators::kIgnored;
}

// What is known of an address.
struct Code {
  CodePlaces places;
  FunctionSymbol symbol;
};

// The binary, and where what describes it is.
struct Binary {
  const symbolize::ElfImage& image;
  const std::string& path;
  const symbolize::DebugPlaces& debug_places;
  const symbolize::ElfImage* with_symbols;  // may be null
};

absl::Status NoDebugInformation(const absl::Status& why, const Binary& binary) {
  if (!absl::IsNotFound(why)) {
    return absl::Status(why.code(),
                        absl::StrCat(binary.path, ": ", why.message()));
  }
  return absl::NotFoundError(absl::StrCat(
      binary.path, ": ", why.message(),
      ", neither in it nor in a file for it beside it, in .debug/ there or "
      "below ",
      absl::StrJoin(binary.debug_places.roots, ", "),
      ". Build with -gline-tables-only -fdebug-info-for-profiling, and do not "
      "strip it, or keep what is stripped off (objcopy --only-keep-debug, "
      "--add-gnu-debuglink)"));
}

absl::StatusOr<symbolize::CodePlaceAnswers> PlacesIn(
    const Binary& binary, const std::vector<uint64_t>& addresses) {
  absl::StatusOr<symbolize::CodePlaceAnswers> answers =
      symbolize::FindCodePlaces(binary.image, binary.path, binary.debug_places,
                                addresses, kMostDebugBytes);
  if (!answers.ok()) return NoDebugInformation(answers.status(), binary);
  return answers;
}

// Of all of `addresses`, which are sorted.
absl::StatusOr<std::map<uint64_t, Code>> FindCode(
    const Binary& binary, const std::vector<uint64_t>& addresses,
    std::set<std::string>& missing) {
  absl::StatusOr<symbolize::CodePlaceAnswers> answers =
      PlacesIn(binary, addresses);
  if (!answers.ok()) return answers.status();
  missing.insert(answers->missing.begin(), answers->missing.end());
  std::vector<FunctionSymbol> symbols(addresses.size());
  if (binary.with_symbols != nullptr) {
    symbols = FindFunctionSymbols(*binary.with_symbols, addresses);
  }
  std::map<uint64_t, Code> code;
  for (size_t i = 0; i < addresses.size(); ++i) {
    code.emplace_hint(
        code.end(), addresses[i],
        Code{std::move(answers->places[i]), std::move(symbols[i])});
  }
  return code;
}

std::vector<uint64_t> AddressesOf(const CodeCounts& counts) {
  std::set<uint64_t> addresses;
  for (const auto& [address, count] : counts.at) addresses.insert(address);
  for (const auto& [ends, count] : counts.calls) {
    addresses.insert(ends.first);
    addresses.insert(ends.second);
  }
  return {addresses.begin(), addresses.end()};
}

// The functions that are hot, and their parts, of which none may have been met.
std::vector<FunctionSymbol> HotFunctions(const Binary& binary,
                                         const TableBuilder& builder,
                                         const std::map<uint64_t, Code>& code) {
  std::vector<FunctionSymbol> hot;
  if (binary.with_symbols != nullptr) {
    hot = symbolize::FunctionSymbolsNamed(
        *binary.with_symbols, [&builder](const std::string& name) {
          const std::string function = symbolize::FunctionOfPart(name);
          return function != name && builder.IsHot(function);
        });
  }
  for (const auto& [address, at] : code) {
    if (!at.places.empty() && builder.IsHot(at.places.back().function)) {
      hot.push_back(at.symbol);
    }
  }
  return hot;
}

// All places of hot functions are known, whether they were met or not.
absl::Status AddCold(const Binary& binary, const std::map<uint64_t, Code>& code,
                     TableBuilder& builder) {
  const std::vector<symbolize::AddressRange> ranges =
      RangesOf(HotFunctions(binary, builder, code));
  const absl::StatusOr<std::vector<uint64_t>> rows =
      symbolize::FindRowAddresses(binary.image, binary.path,
                                  binary.debug_places, ranges, kMostDebugBytes);
  if (!rows.ok()) return NoDebugInformation(rows.status(), binary);
  auto range = ranges.begin();
  const auto add = [&](size_t index, const CodePlaces& places) {
    const uint64_t row = (*rows)[index];
    while (range != ranges.end() && range->end <= row) ++range;
    if (range != ranges.end()) builder.AddCold(places, range->begin);
  };
  const absl::StatusOr<std::set<std::string>> missing =
      symbolize::VisitCodePlaces(binary.image, binary.path, binary.debug_places,
                                 *rows, kMostDebugBytes, add);
  if (!missing.ok()) return NoDebugInformation(missing.status(), binary);
  return absl::OkStatus();
}

std::optional<double> DensityOfCode(const CodeCounts& counts,
                                    const std::map<uint64_t, Code>& code) {
  std::map<uint64_t, SampledCode> symbols;
  for (const auto& [address, count] : counts.at) {
    const FunctionSymbol& symbol = code.at(address).symbol;
    if (symbol.name.empty()) continue;
    SampledCode& sampled = symbols[symbol.begin];
    sampled.samples += count;
    sampled.bytes = symbol.size;
  }
  std::vector<SampledCode> functions;
  for (const auto& [begin, sampled] : symbols) functions.push_back(sampled);
  return DensityOf(std::move(functions));
}

}  // namespace

absl::StatusOr<CodeTable> TableOfCode(
    const CodeCounts& counts, const symbolize::ElfImage& image,
    const std::string& path, const symbolize::DebugPlaces& debug_places) {
  CodeTable table;
  table.discriminators = DiscriminatorsOf(image);
  const symbolize::ModuleImages images(image, path, debug_places);
  const auto with_symbols = images.with_symbols();
  const Binary binary = {image, path, debug_places,
                         with_symbols.empty() ? nullptr : with_symbols.front()};
  const absl::StatusOr<std::map<uint64_t, Code>> code =
      FindCode(binary, AddressesOf(counts), table.missing);
  if (!code.ok()) return code.status();
  TableBuilder builder(table.discriminators);
  for (const auto& [address, count] : counts.at) {
    const Code& at = code->at(address);
    builder.Add(at.places, at.symbol.begin, count);
  }
  absl::Status s = AddCold(binary, *code, builder);
  if (!s.ok()) return s;
  for (const auto& [ends, count] : counts.calls) {
    const Code& call = code->at(ends.first);
    builder.AddCall(call.places, call.symbol.begin,
                    code->at(ends.second).places, count);
  }
  table.functions = std::move(builder).Finish(table.figures);
  table.density = DensityOfCode(counts, *code);
  return table;
}

}  // namespace wallprof::pgo
