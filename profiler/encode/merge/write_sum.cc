#include "profiler/encode/merge/write_sum.h"

#include <algorithm>
#include <protozero/pbf_writer.hpp>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "profiler/encode/merge/body_writer.h"
#include "profiler/encode/pprof_fields.h"
#include "profiler/encode/pprof_write.h"

namespace wallprof {
namespace {

using namespace pprof_fields;  // NOLINT: they are this file's vocabulary
using namespace pprof_wire;    // NOLINT: so are they
using protozero::pbf_writer;

// Numbers from 1 in order of first use, by numbers in the sum.
class Renumbering {
 public:
  explicit Renumbering(size_t size) { ids_.Assign(size, 0); }

  // The id of what has this number in the sum, and whether it is new.
  std::pair<uint32_t, bool> Add(uint32_t number) {
    uint32_t& id = ids_[number];
    if (id != 0) return {id, false};
    order_.push_back(number);
    id = static_cast<uint32_t>(order_.size());
    return {id, true};
  }

  uint32_t IdOf(uint32_t number) const { return ids_[number]; }
  const FlatArray<uint32_t>& order() const { return order_; }

 private:
  FlatArray<uint32_t> ids_;  // 0: not used yet
  FlatArray<uint32_t> order_;
};

// The string table: "" is 0, others by first use.
class StringNumbers {
 public:
  explicit StringNumbers(const SumTables& sum)
      : sum_(sum), known_(sum.strings.size()) {
    NumberOf(0);
  }

  int64_t NumberOf(uint32_t string) {
    auto [id, is_new] = known_.Add(string);
    if (is_new) {
      numbers_.push_back(static_cast<int64_t>(strings_.size()));
      strings_.push_back(sum_.StringAt(string));
    }
    return numbers_[id - 1];
  }

  // `text` must outlive this.
  int64_t NumberOf(std::string_view text) {
    uint32_t string = sum_.strings.Find(text);
    if (string != FlatIndex::kNone) return NumberOf(string);
    auto [known, is_new] = others_.try_emplace(text, strings_.size());
    if (is_new) strings_.push_back(text);
    return known->second;
  }

  const FlatArray<std::string_view>& strings() const { return strings_; }

 private:
  const SumTables& sum_;
  Renumbering known_;
  FlatArray<int64_t> numbers_;  // by known_'s ids
  absl::flat_hash_map<std::string_view, int64_t> others_;
  FlatArray<std::string_view> strings_;
};

class SumWriter {
 public:
  SumWriter(const SumHeader& header, const SumTables& sum,
            absl::Span<const uint32_t> samples)
      : header_(header),
        sum_(sum),
        samples_(samples),
        mappings_(sum.mappings.size() + 1),
        functions_(sum.functions.size()),
        locations_(sum.locations.size()),
        strings_(sum) {}

  std::string Write() && {
    NumberMappings();
    for (const ValueType& type : header_.sample_types) {
      AddValueType(kSampleType, type);
    }
    const size_t types = header_.sample_types.size();
    for (uint32_t i : samples_) {
      absl::Span<const int64_t> values(sum_.values.data() + i * types, types);
      if (std::any_of(values.begin(), values.end(),
                      [](int64_t value) { return value != 0; })) {
        AddSample(sum_.samples[i], values);
      }
    }
    for (uint32_t number : mappings_.order()) AddMapping(number);
    for (uint32_t number : locations_.order()) AddLocation(number);
    for (uint32_t number : functions_.order()) AddFunction(number);
    AddHeader();
    return std::move(bytes_);
  }

 private:
  // The first mapping comes first, in whatever way others saw it; where none
  // did, its number is one that the sum does not use.
  void NumberMappings() {
    if (!sum_.first_mapping.has_value()) return;
    first_mapping_ = FindIdentity(sum_, *sum_.first_mapping);
    if (first_mapping_ == SumTables::kNoMapping) {
      first_mapping_ = static_cast<uint32_t>(sum_.mappings.size());
    }
    mappings_.Add(first_mapping_);
  }

  const SumTables::Mapping& MappingOf(uint32_t number) const {
    const bool is_first_seen =
        number == first_mapping_ && sum_.decides == Decides::kFirst;
    return is_first_seen ? *sum_.first_mapping : sum_.mappings[number];
  }

  void AddValueType(uint32_t field, const ValueType& type) {
    if (type == ValueType{}) {
      // The writer takes back a message that stays empty, but this one counts.
      writer_.add_message(field, "", 0);
      return;
    }
    pbf_writer message(writer_, field);
    AddUnlessZero(message, kType, strings_.NumberOf(type.type));
    AddUnlessZero(message, kUnit, strings_.NumberOf(type.unit));
  }

  void AddSample(const SumTables::Sample& sample,
                 absl::Span<const int64_t> values) {
    ids_.clear();
    for (uint32_t number : sum_.stacks.WordsAt(sample.stack)) {
      ids_.push_back(LocationId(number));
    }
    sample_.Clear();
    sample_.AddAll(kSampleLocationId,
                   absl::Span<const uint64_t>(ids_.data(), ids_.size()));
    sample_.AddAll(kSampleValue, values);
    Words labels = sum_.label_sets.WordsAt(sample.label_set);
    for (size_t i = 0; i < labels.size(); i += SumTables::Label::kWords) {
      AddLabel(SumTables::Label::Read(labels.data() + i));
    }
    std::string_view body = sample_.bytes();
    writer_.add_message(kSample, body.data(), body.size());
  }

  // What a location leads to is in use from its own first use on.
  uint64_t LocationId(uint32_t number) {
    auto [id, is_new] = locations_.Add(number);
    if (!is_new) return id;
    Words words = sum_.locations.WordsAt(number);
    SumTables::Location location = SumTables::Location::Read(words);
    if (location.mapping != SumTables::kNoMapping) {
      mappings_.Add(location.mapping);
    }
    for (size_t i = SumTables::Location::kWords; i < words.size();
         i += SumTables::Line::kWords) {
      functions_.Add(SumTables::Line::Read(words.data() + i).function);
    }
    return id;
  }

  void AddLabel(const SumTables::Label& label) {
    label_.Clear();
    label_.AddUnlessZero(kLabelKey, strings_.NumberOf(label.key));
    if (label.text != 0) {
      label_.AddUnlessZero(kLabelText, strings_.NumberOf(label.text));
    } else {
      label_.AddUnlessZero(kLabelNumber, label.number);
      label_.AddUnlessZero(kLabelUnit, strings_.NumberOf(label.unit));
    }
    sample_.AddMessage(kSampleLabel, label_);
  }

  void AddMapping(uint32_t number) {
    const SumTables::Mapping& mapping = MappingOf(number);
    pbf_writer message(writer_, kMapping);
    message.add_uint64(kMappingId, mappings_.IdOf(number));
    AddUnlessZero(message, kMappingStart, mapping.start);
    AddUnlessZero(message, kMappingLimit, mapping.limit);
    AddUnlessZero(message, kMappingOffset, mapping.file_offset);
    AddUnlessZero(message, kMappingFilename,
                  strings_.NumberOf(mapping.filename));
    AddUnlessZero(message, kMappingBuildId,
                  strings_.NumberOf(mapping.build_id));
    AddUnlessFalse(message, kMappingHasFunctions, mapping.has_functions);
    AddUnlessFalse(message, kMappingHasFilenames, mapping.has_filenames);
    AddUnlessFalse(message, kMappingHasLineNumbers, mapping.has_line_numbers);
    AddUnlessFalse(message, kMappingHasInlineFrames, mapping.has_inline_frames);
  }

  void AddLocation(uint32_t number) {
    Words words = sum_.locations.WordsAt(number);
    SumTables::Location location = SumTables::Location::Read(words);
    pbf_writer message(writer_, kLocation);
    message.add_uint64(kLocationId, locations_.IdOf(number));
    uint64_t address = location.offset;
    if (location.mapping != SumTables::kNoMapping) {
      message.add_uint64(kLocationMappingId, mappings_.IdOf(location.mapping));
      address += MappingOf(location.mapping).start;
    }
    AddUnlessZero(message, kLocationAddress, address);
    for (size_t i = SumTables::Location::kWords; i < words.size();
         i += SumTables::Line::kWords) {
      SumTables::Line line = SumTables::Line::Read(words.data() + i);
      pbf_writer line_message(message, kLocationLine);
      line_message.add_uint64(kLineFunctionId, functions_.IdOf(line.function));
      AddUnlessZero(line_message, kLineNumber, line.line);
      AddUnlessZero(line_message, kLineColumn, line.column);
    }
    AddUnlessFalse(message, kLocationIsFolded, location.is_folded != 0);
  }

  void AddFunction(uint32_t number) {
    SumTables::Function function =
        SumTables::Function::Read(sum_.functions.WordsAt(number));
    pbf_writer message(writer_, kFunction);
    message.add_uint64(kFunctionId, functions_.IdOf(number));
    AddUnlessZero(message, kFunctionName, strings_.NumberOf(function.name));
    AddUnlessZero(message, kFunctionSystemName,
                  strings_.NumberOf(function.system_name));
    AddUnlessZero(message, kFunctionFilename,
                  strings_.NumberOf(function.filename));
    AddUnlessZero(message, kFunctionStartLine, function.start_line);
  }

  // The rest: the string table comes in the midst of it, so that all strings
  // are numbered first.
  void AddHeader() {
    int64_t drop_frames = strings_.NumberOf(header_.drop_frames);
    int64_t keep_frames = strings_.NumberOf(header_.keep_frames);
    strings_.NumberOf(header_.period_type.type);
    strings_.NumberOf(header_.period_type.unit);
    std::vector<std::string_view> texts;
    for (uint32_t i = 0; i < sum_.comments.size(); ++i) {
      texts.push_back(sum_.comments.BytesAt(i));
    }
    if (sum_.decides == Decides::kContent) {
      std::sort(texts.begin(), texts.end());
    }
    std::vector<int64_t> comments;
    for (std::string_view text : texts) {
      comments.push_back(strings_.NumberOf(text));
    }
    int64_t default_type = strings_.NumberOf(header_.default_sample_type);
    int64_t doc_url = strings_.NumberOf(header_.doc_url);

    for (std::string_view text : strings_.strings()) {
      writer_.add_string(kStringTable, text.data(), text.size());
    }
    AddUnlessZero(writer_, kDropFrames, drop_frames);
    AddUnlessZero(writer_, kKeepFrames, keep_frames);
    AddUnlessZero(writer_, kTimeNanos, header_.time_nanos);
    AddUnlessZero(writer_, kDurationNanos,
                  absl::ToInt64Nanoseconds(header_.duration));
    if (header_.period_type != ValueType{}) {
      AddValueType(kPeriodType, header_.period_type);
    }
    AddUnlessZero(writer_, kPeriod, header_.period);
    AddAll(writer_, kComment, comments);
    // Written even if 0, as pprof does.
    writer_.add_int64(kDefaultSampleType, default_type);
    AddUnlessZero(writer_, kDocUrl, doc_url);
  }

  const SumHeader& header_;
  const SumTables& sum_;
  absl::Span<const uint32_t> samples_;
  uint32_t first_mapping_ = SumTables::kNoMapping;
  Renumbering mappings_;
  Renumbering functions_;
  Renumbering locations_;
  StringNumbers strings_;
  std::string bytes_;
  pbf_writer writer_{bytes_};

  // Of the sample being written.
  FlatArray<uint64_t> ids_;
  BodyWriter sample_;
  BodyWriter label_;
};

}  // namespace

std::string WriteSum(const SumHeader& header, const SumTables& sum,
                     absl::Span<const uint32_t> samples) {
  return SumWriter(header, sum, samples).Write();
}

}  // namespace wallprof
