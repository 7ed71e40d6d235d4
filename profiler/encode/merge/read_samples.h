// Reads the samples of a message whose other entities are in tables already.
#ifndef WALLPROF_PROFILER_ENCODE_MERGE_READ_SAMPLES_H_
#define WALLPROF_PROFILER_ENCODE_MERGE_READ_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "profiler/encode/merge/flat_array.h"
#include "profiler/encode/merge/flat_index.h"
#include "profiler/encode/merge/id_index.h"
#include "profiler/encode/merge/pprof_tables.h"
#include "profiler/encode/merge/wire_cursor.h"
#include "profiler/encode/pprof_wire.h"

namespace wallprof {

class SampleReader {
 public:
  // All must outlive this. `location_ids` leads to places in `tables`.
  SampleReader(PprofTables& tables, const IdIndex& location_ids,
               pprof_wire::Budget& budget)
      : tables_(tables), location_ids_(location_ids), budget_(budget) {}

  // Reads the samples with these bodies, which stay in the tables only if
  // `kKept`. Throws Malformed, and Refused for want of budget.
  template <bool kKept>
  void ReadAll(const FlatArray<std::string_view>& bodies);

 private:
  // Labels as they stand in a sample, and the set that they are.
  struct KnownLabels {
    std::string_view bytes;
    uint32_t set = 0;
    size_t cost = 0;  // of what DecodePprof would make of them
  };

  template <bool kKept>
  void Read(std::string_view body);
  template <bool kKept>
  void AddLocation(uint64_t id);
  template <bool kKept>
  void AddLocations(std::string_view packed);
  template <bool kKept>
  void AddValue(int64_t value);
  void AddLabelField(const char* begin, const char* end);
  template <bool kKept>
  void Finish();

  KnownLabels LabelsOfSample();
  KnownLabels ReadLabels();
  void ReadLabel(WireCursor message, KnownLabels& labels);
  uint32_t ReadString(WireCursor& message, KnownLabels& labels);

  PprofTables& tables_;
  const IdIndex& location_ids_;
  pprof_wire::Budget& budget_;

  // Equal labels are equal bytes, nearly always.
  FlatArray<KnownLabels> known_labels_;
  FlatIndex known_index_;

  uint32_t* next_location_ = nullptr;  // where to write it, if samples are kept

  // Of the sample being read.
  size_t depth_ = 0;
  size_t value_count_ = 0;
  bool is_zero_ = true;
  std::vector<std::string_view> label_pieces_;  // fields that touch are one
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MERGE_READ_SAMPLES_H_
