// Writes profile.proto. The order of fields and strings is that of pprof's own
// encoder, so that a profile read and written by either is the same bytes.
#include <algorithm>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "profiler/encode/gzip.h"
#include "profiler/encode/pprof_fields.h"
#include "profiler/encode/pprof_message.h"
#include "profiler/encode/pprof_write.h"
#include "profiler/profile/labels.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using namespace pprof_fields;  // NOLINT: they are this file's vocabulary
using namespace pprof_wire;    // NOLINT: so are they
using protozero::pbf_writer;

// Strings as they are numbered in the file: "" is 0, others by first use.
class StringTable {
 public:
  StringTable() { NumberOf(""); }

  // `text` must outlive this.
  int64_t NumberOf(std::string_view text) {
    auto [known, is_new] =
        numbers_.try_emplace(text, static_cast<int64_t>(strings_.size()));
    if (is_new) strings_.push_back(text);
    return known->second;
  }

  const std::vector<std::string_view>& strings() const { return strings_; }

 private:
  std::vector<std::string_view> strings_;
  absl::flat_hash_map<std::string_view, int64_t> numbers_;
};

// Writes in the order in which strings are numbered.
class Encoder {
 public:
  explicit Encoder(const Profile& profile) : profile_(profile) {}

  std::string Encode() && {
    for (const ValueType& type : profile_.sample_types) {
      AddValueType(kSampleType, type);
    }
    for (const Sample& sample : profile_.samples) AddSample(sample);
    for (const Mapping& mapping : profile_.mappings) AddMapping(mapping);
    for (const Location& location : profile_.locations) AddLocation(location);
    for (const Function& function : profile_.functions) AddFunction(function);
    AddHeader();
    return std::move(bytes_);
  }

 private:
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

  void AddSample(const Sample& sample) {
    pbf_writer message(writer_, kSample);
    AddAll(message, kSampleLocationId, sample.location_ids);
    AddAll(message, kSampleValue, sample.values);
    labels_.clear();
    for (const Label& label : sample.labels) labels_.push_back(&label);
    std::stable_sort(
        labels_.begin(), labels_.end(),
        [](const Label* a, const Label* b) { return LabelBefore(*a, *b); });
    for (const Label* label : labels_) AddLabel(message, *label);
  }

  void AddLabel(pbf_writer& sample, const Label& label) {
    pbf_writer message(sample, kSampleLabel);
    AddUnlessZero(message, kLabelKey, strings_.NumberOf(label.key));
    if (!label.text.empty()) {
      AddUnlessZero(message, kLabelText, strings_.NumberOf(label.text));
      return;
    }
    AddUnlessZero(message, kLabelNumber, label.number);
    AddUnlessZero(message, kLabelUnit, strings_.NumberOf(label.unit));
  }

  void AddMapping(const Mapping& mapping) {
    pbf_writer message(writer_, kMapping);
    AddUnlessZero(message, kMappingId, mapping.id);
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

  void AddLocation(const Location& location) {
    pbf_writer message(writer_, kLocation);
    AddUnlessZero(message, kLocationId, location.id);
    AddUnlessZero(message, kLocationMappingId, location.mapping_id);
    AddUnlessZero(message, kLocationAddress, location.address);
    for (const Line& line : location.lines) {
      pbf_writer line_message(message, kLocationLine);
      AddUnlessZero(line_message, kLineFunctionId, line.function_id);
      AddUnlessZero(line_message, kLineNumber, line.line);
      AddUnlessZero(line_message, kLineColumn, line.column);
    }
    AddUnlessFalse(message, kLocationIsFolded, location.is_folded);
  }

  void AddFunction(const Function& function) {
    pbf_writer message(writer_, kFunction);
    AddUnlessZero(message, kFunctionId, function.id);
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
    int64_t drop_frames = strings_.NumberOf(profile_.drop_frames);
    int64_t keep_frames = strings_.NumberOf(profile_.keep_frames);
    strings_.NumberOf(profile_.period_type.type);
    strings_.NumberOf(profile_.period_type.unit);
    std::vector<int64_t> comments;
    for (const std::string& comment : profile_.comments) {
      comments.push_back(strings_.NumberOf(comment));
    }
    int64_t default_type = strings_.NumberOf(profile_.default_sample_type);
    int64_t doc_url = strings_.NumberOf(profile_.doc_url);

    for (std::string_view text : strings_.strings()) {
      writer_.add_string(kStringTable, text.data(), text.size());
    }
    AddUnlessZero(writer_, kDropFrames, drop_frames);
    AddUnlessZero(writer_, kKeepFrames, keep_frames);
    AddUnlessZero(writer_, kTimeNanos, absl::ToUnixNanos(profile_.time));
    AddUnlessZero(writer_, kDurationNanos,
                  absl::ToInt64Nanoseconds(profile_.duration));
    if (profile_.period_type != ValueType{}) {
      AddValueType(kPeriodType, profile_.period_type);
    }
    AddUnlessZero(writer_, kPeriod, profile_.period);
    AddAll(writer_, kComment, comments);
    // Written even if 0, as pprof does.
    writer_.add_int64(kDefaultSampleType, default_type);
    AddUnlessZero(writer_, kDocUrl, doc_url);
  }

  const Profile& profile_;
  StringTable strings_;
  std::string bytes_;
  pbf_writer writer_{bytes_};
  std::vector<const Label*> labels_;  // of the sample being written
};

}  // namespace

std::string EncodePprofMessage(const Profile& profile) {
  return Encoder(profile).Encode();
}

std::string EncodePprof(const Profile& profile) {
  return Gzip(EncodePprofMessage(profile));
}

}  // namespace wallprof
