#include "profiler/encode/merge/read_samples.h"

#include <algorithm>

#include "profiler/encode/merge/hash_bytes.h"
#include "profiler/encode/pprof_fields.h"
#include "profiler/profile/saturating.h"

namespace wallprof {

using namespace pprof_fields;  // NOLINT: they are this file's vocabulary

template <bool kKept>
void SampleReader::ReadAll(const FlatArray<std::string_view>& bodies) {
  if (tables_.types.empty() && !bodies.empty()) throw Malformed();
  tables_.label_sets.push_back({});
  tables_.columns.Assign(tables_.types.size(), {});
  uint32_t* locations = nullptr;
  if (kKept) {
    size_t bytes = 0;  // a location takes at least one
    for (std::string_view body : bodies) bytes += body.size();
    locations = tables_.sample_locations.Extend(bytes);
    next_location_ = locations;
  }
  for (std::string_view body : bodies) Read<kKept>(body);
  tables_.sample_locations.Shrink(next_location_ - locations);
  tables_.all_samples = bodies.size();
}

template void SampleReader::ReadAll<false>(const FlatArray<std::string_view>&);
template void SampleReader::ReadAll<true>(const FlatArray<std::string_view>&);

template <bool kKept>
void SampleReader::Read(std::string_view body) {
  depth_ = value_count_ = 0;
  is_zero_ = true;
  label_pieces_.clear();
  WireCursor cursor(body);
  while (!cursor.AtEnd()) {
    const char* field = cursor.position();
    switch (uint32_t key = cursor.Key()) {
      case BytesKey(kSampleLocationId):
        AddLocations<kKept>(cursor.Bytes());
        break;
      case VarintKey(kSampleLocationId):
        AddLocation<kKept>(cursor.Varint());
        break;
      case BytesKey(kSampleValue): {
        WireCursor packed(cursor.Bytes());
        while (!packed.AtEnd()) AddValue<kKept>(packed.Signed());
        break;
      }
      case VarintKey(kSampleValue):
        AddValue<kKept>(cursor.Signed());
        break;
      case BytesKey(kSampleLabel):
        cursor.Bytes();
        AddLabelField(field, cursor.position());
        break;
      default:
        cursor.SkipUnknown(key, kSampleLabel);
    }
  }
  Finish<kKept>();
}

template <bool kKept>
void SampleReader::AddLocation(uint64_t id) {
  uint64_t place = location_ids_.Find(id);
  if (place == IdIndex::kNone) throw Malformed();
  if (kKept) *next_location_++ = static_cast<uint32_t>(place);
  ++depth_;
}

// Most of a message is read here.
template <bool kKept>
void SampleReader::AddLocations(std::string_view packed) {
  WireCursor cursor(packed);
  uint32_t* next = next_location_;
  size_t depth = depth_;
  if (location_ids_.in_order()) {
    const uint64_t size = tables_.locations.size();
    while (!cursor.AtEnd()) {
      const uint64_t place = cursor.Varint() - 1;
      if (place >= size) throw Malformed();
      if (kKept) *next++ = static_cast<uint32_t>(place);
      ++depth;
    }
    next_location_ = next;
    depth_ = depth;
    return;
  }
  while (!cursor.AtEnd()) AddLocation<kKept>(cursor.Varint());
}

template <bool kKept>
void SampleReader::AddValue(int64_t value) {
  if (value_count_ == tables_.types.size()) throw Malformed();
  PprofTables::Column& column = tables_.columns[value_count_++];
  if (value != 0) {
    is_zero_ = false;
    ++column.nonzero;
    column.total = SaturatingAdd(column.total, value);
    column.has_negative |= value < 0;
  }
  if (kKept) tables_.values.push_back(value);
}

void SampleReader::AddLabelField(const char* begin, const char* end) {
  if (!label_pieces_.empty()) {
    std::string_view& last = label_pieces_.back();
    if (last.data() + last.size() == begin) {
      last = {last.data(), static_cast<size_t>(end - last.data())};
      return;
    }
  }
  label_pieces_.push_back({begin, static_cast<size_t>(end - begin)});
}

template <bool kKept>
void SampleReader::Finish() {
  if (value_count_ != tables_.types.size()) throw Malformed();
  KnownLabels labels = LabelsOfSample();
  budget_.Take(sizeof(Sample) + depth_ * sizeof(uint64_t) +
               value_count_ * sizeof(int64_t) + labels.cost);
  PprofTables::LabelSet& set = tables_.label_sets[labels.set];
  tables_.max_depth = std::max(tables_.max_depth, depth_);
  tables_.max_labels =
      std::max(tables_.max_labels, static_cast<size_t>(set.end - set.begin));
  if (!kKept) return;
  if (is_zero_) {
    next_location_ -= depth_;
    tables_.values.Shrink(tables_.values.size() - value_count_);
    return;
  }
  for (size_t i = 1; i <= depth_; ++i) {
    tables_.locations[*(next_location_ - i)].is_used = true;
  }
  set.is_used = true;
  tables_.samples.push_back(
      {static_cast<uint32_t>(next_location_ - tables_.sample_locations.data()),
       labels.set});
}

SampleReader::KnownLabels SampleReader::LabelsOfSample() {
  if (label_pieces_.empty()) return {};
  if (label_pieces_.size() > 1) return ReadLabels();
  std::string_view bytes = label_pieces_[0];
  uint32_t hash = HashBytes(bytes);
  uint32_t place = known_index_.Find(hash, [&](uint32_t known) {
    return known_labels_[known].bytes == bytes;
  });
  if (place == FlatIndex::kNone) {
    place = static_cast<uint32_t>(known_labels_.size());
    known_labels_.push_back(ReadLabels());
    known_index_.Reserve(known_labels_.size());
    known_index_.Insert(hash, place);
  }
  return known_labels_[place];
}

SampleReader::KnownLabels SampleReader::ReadLabels() {
  KnownLabels known;
  known.bytes = label_pieces_[0];
  PprofTables::LabelSet set;
  set.begin = static_cast<uint32_t>(tables_.labels.size());
  for (std::string_view piece : label_pieces_) {
    WireCursor cursor(piece);
    while (!cursor.AtEnd()) {
      cursor.Key();
      ReadLabel(WireCursor(cursor.Bytes()), known);
    }
  }
  set.end = static_cast<uint32_t>(tables_.labels.size());
  std::stable_sort(
      tables_.labels.begin() + set.begin, tables_.labels.end(),
      [this](const PprofTables::Label& a, const PprofTables::Label& b) {
        bool a_is_number = a.text == 0;
        bool b_is_number = b.text == 0;
        if (a_is_number != b_is_number) return b_is_number;
        return tables_.StringAt(a.key) < tables_.StringAt(b.key);
      });
  known.set = static_cast<uint32_t>(tables_.label_sets.size());
  tables_.label_sets.push_back(set);
  return known;
}

void SampleReader::ReadLabel(WireCursor message, KnownLabels& labels) {
  PprofTables::Label label;
  while (!message.AtEnd()) {
    switch (uint32_t key = message.Key()) {
      case VarintKey(kLabelKey):
        label.key = ReadString(message, labels);
        break;
      case VarintKey(kLabelText):
        label.text = ReadString(message, labels);
        break;
      case VarintKey(kLabelNumber):
        label.number = message.Signed();
        break;
      case VarintKey(kLabelUnit):
        label.unit = ReadString(message, labels);
        break;
      default:
        message.SkipUnknown(key, kLabelUnit);
    }
  }
  // A label is a string or a number, and one that says nothing is none.
  bool is_text = !tables_.StringAt(label.text).empty();
  bool has_unit = !tables_.StringAt(label.unit).empty();
  if (!is_text && label.number == 0 && !has_unit) return;
  if (!is_text) label.text = 0;
  if (is_text) label.number = 0;
  if (is_text || !has_unit) label.unit = 0;
  labels.cost += sizeof(Label);
  tables_.labels.push_back(label);
}

uint32_t SampleReader::ReadString(WireCursor& message, KnownLabels& labels) {
  uint64_t number = message.Varint();
  if (number >= tables_.strings.size()) throw Malformed();
  labels.cost += tables_.strings[number].size();
  return static_cast<uint32_t>(number);
}

}  // namespace wallprof
