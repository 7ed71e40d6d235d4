// A message as flat tables: entities by their places in it rather than by ids,
// strings by number. What the merge works on, and what tells whether a message
// is a valid profile, without an allocation for each entity.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_PPROF_TABLES_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_PPROF_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "profiler/encode/merge/flat_array.h"
#include "wallprof/profile.h"

namespace wallprof {

// Plain data. All uint32_t that name something are strings' numbers unless
// said otherwise.
struct PprofTables {
  struct Type {
    uint32_t type = 0;
    uint32_t unit = 0;
  };

  struct Mapping {
    uint64_t id = 0;
    uint64_t start = 0;
    uint64_t limit = 0;
    uint64_t file_offset = 0;
    uint32_t filename = 0;
    uint32_t build_id = 0;
    bool has_functions = false;
    bool has_filenames = false;
    bool has_line_numbers = false;
    bool has_inline_frames = false;
    bool is_used = false;
  };

  struct Function {
    uint64_t id = 0;
    int64_t start_line = 0;
    uint32_t name = 0;
    uint32_t system_name = 0;
    uint32_t filename = 0;
    bool is_used = false;
  };

  struct Line {
    uint64_t function = 0;  // its place
    int64_t line = 0;
    int64_t column = 0;
  };

  static constexpr uint64_t kNoMapping = ~uint64_t{0};

  struct Location {
    uint64_t id = 0;
    uint64_t mapping = 0;  // its place, or kNoMapping
    uint64_t address = 0;
    uint64_t lines_begin = 0;  // in `lines`
    uint64_t lines_end = 0;
    bool is_folded = false;
    bool is_used = false;
  };

  struct Label {
    uint32_t key = 0;
    uint32_t text = 0;
    uint32_t unit = 0;
    int64_t number = 0;
  };

  // Of one or more samples, sorted as LabelBefore has it.
  struct LabelSet {
    uint32_t begin = 0;  // in `labels`
    uint32_t end = 0;
    bool is_used = false;
  };

  struct Sample {
    uint32_t locations_end = 0;  // in `sample_locations`
    uint32_t label_set = 0;
  };

  // Empties all; their memory stays for the next message, unless it is much.
  void Clear();

  std::string_view StringAt(uint32_t number) const { return strings[number]; }
  wallprof::ValueType ValueTypeOf(Type type) const;

  FlatArray<std::string_view> strings;  // in the message
  FlatArray<Type> types;
  FlatArray<Mapping> mappings;
  FlatArray<Function> functions;
  FlatArray<Line> lines;
  FlatArray<Location> locations;
  FlatArray<uint32_t> comments;
  uint32_t drop_frames = 0;
  uint32_t keep_frames = 0;
  uint32_t default_type = 0;
  uint32_t doc_url = 0;
  Type period_type;
  int64_t period = 0;
  int64_t time_nanos = 0;
  int64_t duration_nanos = 0;

  FlatArray<Label> labels;
  FlatArray<LabelSet> label_sets;  // the first is that without labels

  // Those whose values are not all 0. What they lead to is marked as used.
  FlatArray<Sample> samples;
  FlatArray<uint32_t> sample_locations;  // places of locations, leaf first
  FlatArray<int64_t> values;             // as many as types for each sample

  // Of a sample type, over all samples.
  struct Column {
    int64_t total = 0;  // stays at the ends of int64's range
    size_t nonzero = 0;
    bool has_negative = false;
  };
  FlatArray<Column> columns;

  // Of all samples in the message.
  size_t all_samples = 0;
  size_t max_depth = 0;
  size_t max_labels = 0;
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_PPROF_TABLES_H_
