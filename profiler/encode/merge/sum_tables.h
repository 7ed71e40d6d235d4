// What profiles add up to, as flat tables: each entity once, and only those
// that a sample leads to.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_SUM_TABLES_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_SUM_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "profiler/encode/merge/flat_array.h"
#include "profiler/encode/merge/flat_index.h"
#include "profiler/encode/merge/sequence_set.h"
#include "profiler/encode/merge/sum_header.h"

namespace wallprof {

// How much may be added at once.
struct SumGrowth {
  struct OfSet {
    size_t sequences = 0;
    size_t words = 0;
  };

  OfSet strings;
  OfSet mappings;
  OfSet functions;
  OfSet locations;
  OfSet label_sets;
  OfSet stacks;
  OfSet comments;
  size_t samples = 0;
  size_t values = 0;
};

// Plain data but for the samples. Entities are named by their numbers in the
// sets; what their words are is said by the structs of the same name.
struct SumTables {
  explicit SumTables(Decides decides = Decides::kFirst);

  // Brings room for `growth`, unless all would take more than `max_bytes`.
  bool MakeRoom(const SumGrowth& growth, size_t max_bytes);
  size_t bytes() const;

  // Adds to the sample of this stack and these labels, which may be new.
  // `count` is the same each time.
  void AddValues(uint32_t stack, uint32_t label_set, const int64_t* values,
                 size_t count);

  // Brings what AddValues needs closer.
  void PrefetchSample(uint32_t stack) const;

  std::string_view StringAt(uint32_t number) const;

  struct Mapping {
    uint64_t start = 0;
    uint64_t limit = 0;
    uint64_t file_offset = 0;
    uint32_t filename = 0;
    uint32_t build_id = 0;
    bool has_functions = false;
    bool has_filenames = false;
    bool has_line_numbers = false;
    bool has_inline_frames = false;
  };

  struct Function {
    uint32_t name;
    uint32_t system_name;
    uint32_t filename;
    int64_t start_line;

    static constexpr size_t kWords = 5;
    void Write(uint32_t* words) const;
    static Function Read(Words words);
  };

  struct Line {
    uint32_t function;
    int64_t line;
    int64_t column;

    static constexpr size_t kWords = 5;
    void Write(uint32_t* words) const;
    static Line Read(const uint32_t* words);
  };

  // Its lines follow.
  struct Location {
    uint64_t offset;   // from the mapping's start; the address if in none
    uint32_t mapping;  // kNoMapping if in none
    uint32_t is_folded;

    static constexpr size_t kWords = 4;
    void Write(uint32_t* words) const;
    static Location Read(Words words);
  };
  static constexpr uint32_t kNoMapping = FlatIndex::kNone;

  // A set of them is their words in order.
  struct Label {
    uint32_t key;
    uint32_t text;
    uint32_t unit;
    int64_t number;

    static constexpr size_t kWords = 5;
    void Write(uint32_t* words) const;
    static Label Read(const uint32_t* words);
  };

  struct Sample {
    uint32_t stack;
    uint32_t label_set;
  };

  Decides decides;

  SequenceSet strings;  // the first is empty
  SequenceSet comments;
  SequenceSet mapping_identities;
  FlatArray<Mapping> mappings;  // by identity; see AddMapping
  SequenceSet functions;
  SequenceSet locations;
  SequenceSet label_sets;  // the first is empty
  SequenceSet stacks;      // of locations, leaf first

  // That of the first profile that had any, used or not. Where content decides,
  // the least of those that came first among the used ones of a profile.
  std::optional<Mapping> first_mapping;

  FlatArray<Sample> samples;  // in order of arrival
  FlatArray<int64_t> values;  // of each

 private:
  uint32_t FindSample(uint32_t stack, uint32_t label_set) const;

  // Most stacks come with one set of labels only.
  FlatArray<uint32_t> first_samples_;  // by stack
  FlatIndex other_samples_;
};

// Number in `tables.mapping_identities` of a mapping like that, for which
// there must be room. It is kept as it was seen first; where content decides,
// it becomes what all of that identity can agree on.
uint32_t AddMapping(SumTables& tables, const SumTables::Mapping& mapping);

// Makes it the sum's first mapping if it is to be.
void OfferFirstMapping(SumTables& tables, const SumTables::Mapping& mapping);

// An order of mappings' identities by their content.
bool ComesBefore(const SumTables& tables, const SumTables::Mapping& a,
                 const SumTables::Mapping& b);

// Number of its identity, or SumTables::kNoMapping if no sample led to one.
uint32_t FindIdentity(const SumTables& tables,
                      const SumTables::Mapping& mapping);

inline constexpr size_t kIdentityWords = 5;

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_SUM_TABLES_H_
