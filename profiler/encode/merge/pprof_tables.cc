#include "profiler/encode/merge/pprof_tables.h"

namespace wallprof {
namespace {

// Of one table. Real profiles need less; what one odd profile took should not
// be held for all that follow.
constexpr size_t kMostKeptBytes = size_t{32} << 20;

template <typename T>
void ClearTable(FlatArray<T>& table) {
  table.clear();
  if (table.bytes() > kMostKeptBytes) table.Release();
}

}  // namespace

void PprofTables::Clear() {
  ClearTable(strings);
  ClearTable(types);
  ClearTable(mappings);
  ClearTable(functions);
  ClearTable(lines);
  ClearTable(locations);
  ClearTable(comments);
  ClearTable(labels);
  ClearTable(label_sets);
  ClearTable(samples);
  ClearTable(sample_locations);
  ClearTable(values);
  ClearTable(columns);
  drop_frames = keep_frames = default_type = doc_url = 0;
  period_type = {};
  period = time_nanos = duration_nanos = 0;
  all_samples = max_depth = max_labels = 0;
}

wallprof::ValueType PprofTables::ValueTypeOf(Type type) const {
  return {std::string(StringAt(type.type)), std::string(StringAt(type.unit))};
}

}  // namespace wallprof
