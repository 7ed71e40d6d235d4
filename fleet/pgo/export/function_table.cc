#include "fleet/pgo/export/function_table.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/export/discriminator.h"
#include "fleet/pgo/export/llvm_text.h"
#include "profiler/profile/saturating.h"

namespace wallprof::pgo {
namespace {

using symbolize::CodePlace;
using symbolize::CodePlaces;

// Clang looks lines up by this many bits of their distance from the function's,
// whichever comes first.
constexpr uint32_t kOffsetMask = 0xffff;

bool IsKnown(const CodePlace& place) {
  return place.line > 0 && place.declared_line > 0;
}

int64_t Times(int64_t count, uint32_t factor) {
  int64_t product;
  if (!__builtin_mul_overflow(count, int64_t{factor}, &product)) return product;
  return std::numeric_limits<int64_t>::max();
}

int64_t At(const std::map<std::string, int64_t>& samples,
           const std::string& function) {
  const auto found = samples.find(function);
  return found == samples.end() ? 0 : found->second;
}

void AddTo(int64_t& sum, int64_t more) { sum = SaturatingAdd(sum, more); }

// Adds a copy of the same function.
void Merge(const FunctionCounts& copy, FunctionCounts& function) {
  AddTo(function.total, copy.total);
  AddTo(function.head, copy.head);
  for (const auto& [place, body] : copy.body) {
    BodyCount& sum = function.body[place];
    AddTo(sum.count, body.count);
    for (const auto& [name, count] : body.targets) {
      AddTo(sum.targets[name], count);
    }
  }
  for (const auto& [key, inlined] : copy.inlined) {
    Merge(inlined, function.inlined[key]);
  }
}

// Takes out what cannot be written.
void KeepWritable(FunctionCounts& function, TableFigures& figures) {
  for (auto& [place, body] : function.body) {
    std::erase_if(body.targets,
                  [](const auto& target) { return !IsLlvmName(target.first); });
    figures.targets += static_cast<int64_t>(body.targets.size());
  }
  figures.unnamed_copies += static_cast<int64_t>(std::erase_if(
      function.inlined,
      [](const auto& inlined) { return !IsLlvmName(inlined.first.second); }));
  for (auto& [key, inlined] : function.inlined) KeepWritable(inlined, figures);
}

}  // namespace

BodyPlace TableBuilder::PlaceOf(const CodePlace& place) const {
  BodyPlace body;
  body.offset =
      static_cast<uint32_t>(place.line - place.declared_line) & kOffsetMask;
  switch (discriminators_) {
    case Discriminators::kLlvm:
      body.discriminator = BaseDiscriminator(place.discriminator);
      break;
    case Discriminators::kBase:
      body.discriminator = place.discriminator;
      break;
    case Discriminators::kIgnored:
      break;
  }
  return body;
}

FunctionCounts* TableBuilder::Descend(const CodePlaces& places, int64_t weight,
                                      FunctionCounts& function) const {
  FunctionCounts* current = &function;
  AddTo(current->total, weight);
  for (size_t i = places.size() - 1; i > 0; --i) {
    if (!IsKnown(places[i])) return nullptr;
    current = &current->inlined[{PlaceOf(places[i]), places[i - 1].function}];
    AddTo(current->total, weight);
  }
  return current;
}

void TableBuilder::Add(const CodePlaces& places, uint64_t copy, int64_t count) {
  if (places.empty()) {
    AddTo(unknown_, count);
    return;
  }
  const std::string& name = places.back().function;
  AddTo(samples_[name], count);
  const CodePlace& leaf = places.front();
  const int64_t weight =
      Times(count, discriminators_ == Discriminators::kLlvm
                       ? DuplicationFactor(leaf.discriminator)
                       : 1);
  FunctionCounts* function = Descend(places, weight, functions_[name][copy]);
  if (function == nullptr || !IsKnown(leaf)) return;
  BodyCount& body = function->body[PlaceOf(leaf)];
  body.count = std::max(body.count, weight);
  AddTo(placed_[name], count);
}

void TableBuilder::AddPiece(const CodePlaces& places, uint64_t copy,
                            int64_t count) {
  FunctionCounts* function =
      Descend(places, 0, functions_[places.back().function][copy]);
  if (function == nullptr || !IsKnown(places.front())) return;
  BodyCount& body = function->body[PlaceOf(places.front())];
  body.count = std::max(body.count, count);
}

bool TableBuilder::IsHot(const std::string& function) const {
  return At(samples_, function) >= kLeastSamples;
}

bool TableBuilder::IsKept(const std::string& function) const {
  return IsHot(function) || At(calling_, function) >= kLeastSamples;
}

void TableBuilder::AddCold(const CodePlaces& places, uint64_t copy) {
  if (places.empty() || !IsHot(places.back().function)) return;
  FunctionCounts* function =
      Descend(places, 0, functions_[places.back().function][copy]);
  if (function == nullptr || !IsKnown(places.front())) return;
  function->body[PlaceOf(places.front())];
}

void TableBuilder::AddCall(const CodePlaces& call, uint64_t copy,
                           const CodePlaces& callee, int64_t count) {
  if (call.empty() || callee.empty()) return;
  const std::string& name = call.back().function;
  FunctionCounts* function = Descend(call, 0, functions_[name][copy]);
  if (function == nullptr || !IsKnown(call.front())) return;
  samples_[name];  // is written, though no sample may be in it
  AddTo(calling_[name], count);
  BodyCount& body = function->body[PlaceOf(call.front())];
  body.count = std::max<int64_t>(body.count, 1);
  AddTo(body.targets[callee.back().function], count);
}

FunctionTable TableBuilder::Finish(TableFigures& figures) && {
  figures = {};
  const auto drop = [&figures](const std::string& reason, int64_t count) {
    if (count > 0) AddTo(figures.dropped[reason], count);
  };
  drop("where debug information has no function", unknown_);
  FunctionTable table;
  for (const auto& [name, samples] : samples_) {
    if (!IsLlvmName(name)) {
      drop("in functions whose names cannot be written", samples);
    } else if (!IsKept(name)) {
      if (samples > 0) ++figures.thin_functions;
      drop(absl::StrCat("in functions of fewer than ", kLeastSamples), samples);
    } else {
      AddTo(figures.written, samples);
      AddTo(figures.placed, placed_[name]);
      FunctionCounts& function = table[name];
      for (const auto& [copy, counts] : functions_[name]) {
        Merge(counts, function);
      }
      KeepWritable(function, figures);
    }
  }
  return table;
}

}  // namespace wallprof::pgo
