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
#include "fleet/pgo/export/density.h"
#include "profiler/symbolize/code_places.h"
#include "profiler/symbolize/function_symbols.h"
#include "profiler/symbolize/module_images.h"

namespace wallprof::pgo {
namespace {

using symbolize::CodePlaces;
using symbolize::FunctionSymbol;

// Of debug information at a time. Those who build have as much; the largest
// unit of a program must fit.
constexpr size_t kMostDebugBytes = size_t{2} << 30;

// Addresses that are looked up at a time: each takes up to a kilobyte, and
// those of all code that was never met can be millions.
constexpr size_t kAddressesAtATime = 100'000;

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

absl::Status NoDebugInformation(const absl::Status& why,
                                const std::string& path,
                                const symbolize::DebugPlaces& places) {
  if (!absl::IsNotFound(why)) {
    return absl::Status(why.code(), absl::StrCat(path, ": ", why.message()));
  }
  return absl::NotFoundError(absl::StrCat(
      path, ": ", why.message(),
      ", neither in it nor in a file for it beside it, in .debug/ there or "
      "below ",
      absl::StrJoin(places.roots, ", "),
      ". Build with -gline-tables-only -fdebug-info-for-profiling, and do not "
      "strip it, or keep what is stripped off (objcopy --only-keep-debug, "
      "--add-gnu-debuglink)"));
}

// What is known of an address.
struct Code {
  CodePlaces places;
  FunctionSymbol symbol;
};

// Of all of `addresses`, which are sorted.
absl::StatusOr<std::map<uint64_t, Code>> FindCode(
    const symbolize::ElfImage& image, const std::string& path,
    const symbolize::DebugPlaces& debug_places,
    const std::vector<uint64_t>& addresses, std::set<std::string>& missing) {
  absl::StatusOr<symbolize::CodePlaceAnswers> answers =
      symbolize::FindCodePlaces(image, path, debug_places, addresses,
                                kMostDebugBytes);
  if (!answers.ok()) {
    return NoDebugInformation(answers.status(), path, debug_places);
  }
  missing.insert(answers->missing.begin(), answers->missing.end());
  const symbolize::ModuleImages images(image, path, debug_places);
  const auto with_symbols = images.with_symbols();
  std::vector<FunctionSymbol> symbols(addresses.size());
  if (!with_symbols.empty()) {
    symbols = FindFunctionSymbols(*with_symbols.front(), addresses);
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

// Where the functions lie that are hot, each once.
std::vector<symbolize::AddressRange> HotRanges(
    const TableBuilder& builder, const std::map<uint64_t, Code>& code) {
  std::map<uint64_t, uint64_t> ends;
  for (const auto& [address, at] : code) {
    if (at.symbol.size == 0 || at.places.empty()) continue;
    if (!builder.IsHot(at.places.back().function)) continue;
    ends[at.symbol.begin] = at.symbol.begin + at.symbol.size;
  }
  std::vector<symbolize::AddressRange> ranges;
  for (const auto& [begin, end] : ends) {
    // One symbol may lie in another.
    if (!ranges.empty()) ranges.back().end = std::min(ranges.back().end, begin);
    ranges.push_back({begin, end});
  }
  return ranges;
}

// Where hot functions have code, all of it is known, met or not.
absl::Status AddCold(const symbolize::ElfImage& image, const std::string& path,
                     const symbolize::DebugPlaces& debug_places,
                     const std::map<uint64_t, Code>& code,
                     TableBuilder& builder) {
  const std::vector<symbolize::AddressRange> ranges = HotRanges(builder, code);
  const absl::StatusOr<std::vector<uint64_t>> rows =
      symbolize::FindRowAddresses(image, path, debug_places, ranges,
                                  kMostDebugBytes);
  if (!rows.ok()) {
    return NoDebugInformation(rows.status(), path, debug_places);
  }
  auto range = ranges.begin();
  for (size_t at = 0; at < rows->size(); at += kAddressesAtATime) {
    const size_t end = std::min(rows->size(), at + kAddressesAtATime);
    const std::vector<uint64_t> some(rows->begin() + at, rows->begin() + end);
    const absl::StatusOr<symbolize::CodePlaceAnswers> answers =
        symbolize::FindCodePlaces(image, path, debug_places, some,
                                  kMostDebugBytes);
    if (!answers.ok()) {
      return NoDebugInformation(answers.status(), path, debug_places);
    }
    for (size_t i = 0; i < some.size(); ++i) {
      while (range != ranges.end() && range->end <= some[i]) ++range;
      if (range == ranges.end()) break;
      builder.AddCold(answers->places[i], range->begin);
    }
  }
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
  const absl::StatusOr<std::map<uint64_t, Code>> code =
      FindCode(image, path, debug_places, AddressesOf(counts), table.missing);
  if (!code.ok()) return code.status();
  TableBuilder builder(table.discriminators);
  for (const auto& [address, count] : counts.at) {
    const Code& at = code->at(address);
    builder.Add(at.places, at.symbol.begin, count);
  }
  absl::Status s = AddCold(image, path, debug_places, *code, builder);
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
