// Where code comes from, as compilers tell it that read profiles: function,
// lines from its beginning, discriminator.
//
// Names for people (symbolizer.h) leave out what these need, and hide what
// these must not: a function of C by its name in the object file, a copy of an
// inlined one by where it was called, one of several pieces of code of a line.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_CODE_PLACES_H_
#define WALLPROF_PROFILER_SYMBOLIZE_CODE_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "profiler/symbolize/address_range.h"
#include "profiler/symbolize/debug_locator.h"
#include "profiler/symbolize/elf_image.h"

namespace wallprof::symbolize {

// One function of an inline chain.
struct CodePlace {
  // Linkage name of debug information; without one, the name. But the mangled
  // name of its symbol, if the code is not inlined and has one: GCC leaves out
  // linkage names of what no other file can see. As FunctionOfPart has it.
  // Empty if the file that has it is missing.
  std::string function;
  // Of the address; of a caller in the chain, of the call. 0: not known.
  int64_t line = 0;
  // DW_AT_decl_line of the function, in whatever file. 0: not known.
  int64_t declared_line = 0;
  // Of the row of the line table, or of the inlined call, as it stands there:
  // LLVM encodes three numbers in it.
  uint32_t discriminator = 0;
};

// Innermost inlined function first; the function itself is last. Empty where
// no function is known; assembly code has lines only.
using CodePlaces = std::vector<CodePlace>;

// The function that a symbol or linkage name is of: without what compilers and
// linkers append to names of its parts and copies, as ".cold", ".part.0" or
// ".llvm.1234", but with ".__uniq.1234", by which clang tells local functions
// of one name apart.
std::string FunctionOfPart(const std::string& name);

struct CodePlaceAnswers {
  std::vector<CodePlaces> places;  // by address
  // What could not be read, a phrase each.
  std::set<std::string> missing;
};

// Of each of `addresses` (before relocation, sorted) in `image`, the file at
// `path`. Debug information, DWARF 2 to 5, is taken from it or from where
// `debug_places` says. Errors, and memory, as FindSource's: NotFound where
// there is no debug information, with a message that follows the file's name.
absl::StatusOr<CodePlaceAnswers> FindCodePlaces(
    const ElfImage& image, const std::string& path,
    const DebugPlaces& debug_places, const std::vector<uint64_t>& addresses,
    size_t max_bytes);

// The same for more addresses than all of whose places would fit into memory:
// they are handed over one after another, by their indexes in `addresses`, and
// not kept. Returns what is missing.
absl::StatusOr<std::set<std::string>> VisitCodePlaces(
    const ElfImage& image, const std::string& path,
    const DebugPlaces& debug_places, const std::vector<uint64_t>& addresses,
    size_t max_bytes,
    const std::function<void(size_t index, CodePlaces places)>& visit);

// The addresses in `ranges` (sorted, each in one function) where a row of a
// line table begins, sorted, each once: together they are all the places that
// debug information knows there, whether samples fell on them or not. Errors
// and memory as above, but nothing is left out: what does not fit is
// ResourceExhausted.
absl::StatusOr<std::vector<uint64_t>> FindRowAddresses(
    const ElfImage& image, const std::string& path,
    const DebugPlaces& debug_places, const std::vector<AddressRange>& ranges,
    size_t max_bytes);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_CODE_PLACES_H_
