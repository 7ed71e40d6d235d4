// From samples at places of code to counts by function.
//
// The rules are AutoFDO's, so that profiles mean to clang what it expects:
//  - A place counts as much as the address in it that was met most, times how
//    often the optimizer copied it; functions count all samples in them.
//  - Where a function was met, all its other places count 0: that code is cold,
//    and not unknown.
//  - A function is one of the binary's; copies of it add up.
// One is ours, since AutoFDO has no stacks without branch records: calls have
// the targets that stacks tell, and make a function worth writing. A place that
// calls were made from is not cold, and counts at least 1: clang does not look
// at targets where nothing ran.
#ifndef WALLPROF_FLEET_PGO_EXPORT_FUNCTION_TABLE_H_
#define WALLPROF_FLEET_PGO_EXPORT_FUNCTION_TABLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "fleet/pgo/export/function_counts.h"
#include "profiler/symbolize/code_places.h"

namespace wallprof::pgo {

// Of a function with fewer samples nothing can be told that is not chance.
inline constexpr int64_t kLeastSamples = 10;

// What discriminators are.
enum class Discriminators {
  kLlvm,     // three numbers in one
  kBase,     // the first of these alone
  kIgnored,  // another compiler's, or not known: places are lines
};

// What became of the samples.
struct TableFigures {
  int64_t written = 0;                     // in functions of the table
  int64_t placed = 0;                      // of these, at a place in the body
  std::map<std::string, int64_t> dropped;  // by reason; not written
  int64_t thin_functions = 0;              // with fewer than kLeastSamples
  int64_t unnamed_copies = 0;  // inlined ones whose names cannot be written
  int64_t targets = 0;         // of calls, written
};

// Add all samples, then cold places, which need what is hot.
class TableBuilder {
 public:
  explicit TableBuilder(Discriminators discriminators)
      : discriminators_(discriminators) {}

  // `count` samples at one address, which is at `places`. `copy` tells copies
  // of one function apart: where the address's symbol begins.
  void Add(const symbolize::CodePlaces& places, uint64_t copy, int64_t count);

  // Samples that Add() had may have been at `places` as well as at another
  // piece of code of their line: it counts as they do, in no total.
  void AddPiece(const symbolize::CodePlaces& places, uint64_t copy,
                int64_t count);

  // Whether there are samples enough in `function` to call the rest of it cold.
  bool IsHot(const std::string& function) const;

  // Code at `places` was never met. Counts in hot functions alone.
  void AddCold(const symbolize::CodePlaces& places, uint64_t copy);

  // `count` samples have a call from `call` to the function that `callee` is
  // in.
  void AddCall(const symbolize::CodePlaces& call, uint64_t copy,
               const symbolize::CodePlaces& callee, int64_t count);

  FunctionTable Finish(TableFigures& figures) &&;

 private:
  // By copy.
  using Copies = std::map<uint64_t, FunctionCounts>;

  BodyPlace PlaceOf(const symbolize::CodePlace& place) const;

  // Whether there are samples enough in `function`, or in what it calls.
  bool IsKept(const std::string& function) const;

  // The innermost function of `places` in `function`, each on the way having
  // `weight` more; null where it is not known how it was called.
  FunctionCounts* Descend(const symbolize::CodePlaces& places, int64_t weight,
                          FunctionCounts& function) const;

  const Discriminators discriminators_;
  std::map<std::string, Copies> functions_;
  std::map<std::string, int64_t> samples_;  // by function
  std::map<std::string, int64_t> placed_;   // by function
  std::map<std::string, int64_t> calling_;  // by function
  int64_t unknown_ = 0;                     // samples at no place
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_FUNCTION_TABLE_H_
