#include "profiler/encode/merge/sum_tables.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "profiler/encode/merge/words.h"
#include "profiler/profile/identity.h"
#include "profiler/profile/saturating.h"

namespace wallprof {
namespace {

uint32_t HashSample(uint32_t stack, uint32_t label_set) {
  const uint32_t words[] = {stack, label_set};
  return HashBytes(BytesOf(words));
}

// Where a file was mapped does not count: see IdentityOf.
std::array<uint32_t, kIdentityWords> IdentityWords(
    const SumTables::Mapping& mapping) {
  uint64_t size = mapping.limit - mapping.start + kPageSize - 1;
  std::array<uint32_t, kIdentityWords> words;
  uint32_t* next = WriteNumber(size - size % kPageSize, words.data());
  next = WriteNumber(mapping.file_offset, next);
  *next = mapping.build_id == 0 ? mapping.filename : mapping.build_id;
  return words;
}

// Not inlined: the compiler would see memory that was never written, without
// seeing that nothing reads it.
[[gnu::noinline]] void AddEmpty(SequenceSet& set) {
  set.Reserve(1, 0);
  set.Add(std::string_view());
}

}  // namespace

SumTables::SumTables(Decides decides) : decides(decides) {
  AddEmpty(strings);
  AddEmpty(label_sets);
}

bool SumTables::MakeRoom(const SumGrowth& growth, size_t max_bytes) {
  const std::pair<SequenceSet*, const SumGrowth::OfSet*> sets[] = {
      {&strings, &growth.strings},
      {&comments, &growth.comments},
      {&mapping_identities, &growth.mappings},
      {&functions, &growth.functions},
      {&locations, &growth.locations},
      {&label_sets, &growth.label_sets},
      {&stacks, &growth.stacks}};
  size_t all_mappings = mappings.size() + growth.mappings.sequences;
  size_t all_stacks = first_samples_.size() + growth.stacks.sequences;
  size_t all_samples = samples.size() + growth.samples;
  size_t all_values = values.size() + growth.values;
  size_t bytes = mappings.BytesFor(all_mappings) +
                 first_samples_.BytesFor(all_stacks) +
                 samples.BytesFor(all_samples) + values.BytesFor(all_values) +
                 other_samples_.BytesFor(all_samples - first_samples_.size());
  for (const auto& [set, more] : sets) {
    bytes += set->BytesWith(more->sequences, more->words);
  }
  if (bytes > max_bytes) return false;
  for (const auto& [set, more] : sets) {
    set->Reserve(more->sequences, more->words);
  }
  mappings.Reserve(all_mappings);
  first_samples_.Reserve(all_stacks);
  samples.Reserve(all_samples);
  values.Reserve(all_values);
  other_samples_.Reserve(all_samples - first_samples_.size());
  return true;
}

size_t SumTables::bytes() const {
  return strings.bytes() + comments.bytes() + mapping_identities.bytes() +
         mappings.bytes() + functions.bytes() + locations.bytes() +
         label_sets.bytes() + stacks.bytes() + samples.bytes() +
         values.bytes() + first_samples_.bytes() + other_samples_.bytes();
}

void SumTables::AddValues(uint32_t stack, uint32_t label_set,
                          const int64_t* added, size_t count) {
  uint32_t sample = FindSample(stack, label_set);
  if (sample != FlatIndex::kNone) {
    int64_t* sums = values.data() + sample * count;
    for (size_t i = 0; i < count; ++i) {
      sums[i] = SaturatingAdd(sums[i], added[i]);
    }
    return;
  }
  sample = static_cast<uint32_t>(samples.size());
  samples.push_back({stack, label_set});
  std::copy_n(added, count, values.Extend(count));
  // Stacks are numbered as they arrive, each with its first sample.
  if (stack == first_samples_.size()) {
    first_samples_.push_back(sample);
  } else {
    other_samples_.Insert(HashSample(stack, label_set), sample);
  }
}

void SumTables::PrefetchSample(uint32_t stack) const {
  if (stack >= first_samples_.size()) return;
  uint32_t sample = first_samples_[stack];
  __builtin_prefetch(samples.data() + sample);
  // Values of a sample are few; where they begin is near enough to know.
  if (!samples.empty()) {
    __builtin_prefetch(values.data() +
                       sample * (values.size() / samples.size()));
  }
}

uint32_t SumTables::FindSample(uint32_t stack, uint32_t label_set) const {
  if (stack >= first_samples_.size()) return FlatIndex::kNone;
  uint32_t first = first_samples_[stack];
  if (samples[first].label_set == label_set) return first;
  return other_samples_.Find(HashSample(stack, label_set),
                             [&](uint32_t sample) {
                               return samples[sample].stack == stack &&
                                      samples[sample].label_set == label_set;
                             });
}

std::string_view SumTables::StringAt(uint32_t number) const {
  return strings.BytesAt(number);
}

void SumTables::Function::Write(uint32_t* words) const {
  words[0] = name;
  words[1] = system_name;
  words[2] = filename;
  WriteNumber(start_line, words + 3);
}

SumTables::Function SumTables::Function::Read(Words words) {
  return {words[0], words[1], words[2],
          static_cast<int64_t>(ReadNumber(words.data() + 3))};
}

void SumTables::Line::Write(uint32_t* words) const {
  words[0] = function;
  WriteNumber(column, WriteNumber(line, words + 1));
}

SumTables::Line SumTables::Line::Read(const uint32_t* words) {
  return {words[0], static_cast<int64_t>(ReadNumber(words + 1)),
          static_cast<int64_t>(ReadNumber(words + 3))};
}

void SumTables::Location::Write(uint32_t* words) const {
  words = WriteNumber(offset, words);
  words[0] = mapping;
  words[1] = is_folded;
}

SumTables::Location SumTables::Location::Read(Words words) {
  return {ReadNumber(words.data()), words[2], words[3]};
}

void SumTables::Label::Write(uint32_t* words) const {
  words[0] = key;
  words[1] = text;
  words[2] = unit;
  WriteNumber(number, words + 3);
}

SumTables::Label SumTables::Label::Read(const uint32_t* words) {
  return {words[0], words[1], words[2],
          static_cast<int64_t>(ReadNumber(words + 3))};
}

namespace {

uint32_t LeastNamed(const SumTables& tables, uint32_t a, uint32_t b) {
  if (a == 0 || b == 0) return a + b;
  return tables.StringAt(a) < tables.StringAt(b) ? a : b;
}

// Each part of this is the same in whatever order it is done.
void Reconcile(const SumTables& tables, const SumTables::Mapping& added,
               SumTables::Mapping& kept) {
  const uint64_t size =
      std::max(kept.limit - kept.start, added.limit - added.start);
  kept.start = std::min(kept.start, added.start);
  kept.limit = kept.start + size;
  kept.filename = LeastNamed(tables, kept.filename, added.filename);
  kept.build_id = LeastNamed(tables, kept.build_id, added.build_id);
  kept.has_functions &= added.has_functions;
  kept.has_filenames &= added.has_filenames;
  kept.has_line_numbers &= added.has_line_numbers;
  kept.has_inline_frames &= added.has_inline_frames;
}

}  // namespace

uint32_t AddMapping(SumTables& tables, const SumTables::Mapping& mapping) {
  uint32_t number =
      tables.mapping_identities.Add(BytesOf(IdentityWords(mapping)));
  if (number == tables.mappings.size()) {
    tables.mappings.push_back(mapping);
  } else if (tables.decides == Decides::kContent) {
    Reconcile(tables, mapping, tables.mappings[number]);
  }
  return number;
}

void OfferFirstMapping(SumTables& tables, const SumTables::Mapping& mapping) {
  std::optional<SumTables::Mapping>& first = tables.first_mapping;
  if (!first.has_value() || (tables.decides == Decides::kContent &&
                             ComesBefore(tables, mapping, *first))) {
    first = mapping;
  }
}

bool ComesBefore(const SumTables& tables, const SumTables::Mapping& a,
                 const SumTables::Mapping& b) {
  const auto key = [&tables](const SumTables::Mapping& mapping) {
    const uint64_t size = mapping.limit - mapping.start + kPageSize - 1;
    const uint32_t file =
        mapping.build_id == 0 ? mapping.filename : mapping.build_id;
    return std::tuple(tables.StringAt(file), mapping.file_offset,
                      size - size % kPageSize);
  };
  return key(a) < key(b);
}

uint32_t FindIdentity(const SumTables& tables,
                      const SumTables::Mapping& mapping) {
  return tables.mapping_identities.Find(BytesOf(IdentityWords(mapping)));
}

}  // namespace wallprof
