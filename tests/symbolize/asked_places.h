// What llvm-symbolizer says of places in code: the other opinion.
#ifndef WALLPROF_TESTS_SYMBOLIZE_ASKED_PLACES_H_
#define WALLPROF_TESTS_SYMBOLIZE_ASKED_PLACES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "profiler/symbolize/code_places.h"
#include "profiler/symbolize/dwarf/source_search.h"

namespace wallprof::symbolize {

// Of addresses in the file at `path`, by address. Outer functions are called as
// symbols are, and are there without debug information too. Throws if the tool
// fails.
std::vector<CodePlaces> AskLlvmForPlaces(
    const std::string& path, const std::vector<uint64_t>& addresses);

// Ours of the same, which must be had without anything missing.
std::vector<CodePlaces> PlacesIn(const std::string& path,
                                 const std::vector<uint64_t>& addresses,
                                 const DebugPlaces& debug_places = {
                                     .roots = {}});

// The addresses of all rows of line tables, as llvm-dwarfdump prints them:
// sorted, each once, in code.
std::vector<uint64_t> AskLlvmForRows(const std::string& path);

// Where the functions are that have symbols with a size; sorted.
std::vector<AddressRange> FunctionsIn(const std::string& path);

std::string ToString(const CodePlaces& places);

// Every place the same in both. Where we know nothing llvm-symbolizer must not
// know more than a symbol.
void ExpectSamePlaces(const std::vector<uint64_t>& addresses,
                      const std::vector<CodePlaces>& ours,
                      const std::vector<CodePlaces>& llvm);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_TESTS_SYMBOLIZE_ASKED_PLACES_H_
