// Reads profile.proto, trusting nothing: the bytes may come from anywhere.
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "profiler/encode/gzip.h"
#include "profiler/encode/pprof_fields.h"
#include "profiler/encode/pprof_message.h"
#include "profiler/encode/pprof_wire.h"
#include "profiler/profile/by_id.h"
#include "profiler/profile/labels.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using namespace pprof_fields;  // NOLINT: they are this file's vocabulary
using namespace pprof_wire;    // NOLINT: so are they
using protozero::pbf_reader;

class Decoder {
 public:
  Decoder(std::string_view message, size_t max_bytes)
      : message_(message), budget_(max_bytes) {}

  Profile Decode() && {
    // Strings come after what refers to them, so they are gathered first.
    ReadStrings();
    pbf_reader message(message_.data(), message_.size());
    while (message.next()) ReadField(message);
    DropUnknownMappings();
    return std::move(profile_);
  }

 private:
  void ReadStrings() {
    pbf_reader message(message_.data(), message_.size());
    while (message.next()) {
      if (message.tag() != kStringTable) {
        message.skip();
        continue;
      }
      budget_.Take(sizeof(std::string_view));
      strings_.push_back(Bytes(message));
      if (!strings_[0].empty()) ThrowMalformed("string_table[0] must be ''");
    }
    // Every message names at least string 0, if only by leaving it out.
    if (strings_.empty()) ThrowMalformed("no string table");
  }

  void ReadField(pbf_reader& message) {
    switch (message.tag()) {
      case kSampleType:
        Append(profile_.sample_types, ReadValueType(Message(message)));
        break;
      case kSample:
        Append(profile_.samples, ReadSample(Message(message)));
        break;
      case kMapping:
        Append(profile_.mappings, ReadMapping(Message(message)));
        break;
      case kLocation:
        Append(profile_.locations, ReadLocation(Message(message)));
        break;
      case kFunction:
        Append(profile_.functions, ReadFunction(Message(message)));
        break;
      case kDropFrames:
        profile_.drop_frames = String(message);
        break;
      case kKeepFrames:
        profile_.keep_frames = String(message);
        break;
      case kTimeNanos:
        ReadTime(message);
        break;
      case kDurationNanos:
        profile_.duration = absl::Nanoseconds(Signed(message));
        break;
      case kPeriodType:
        profile_.period_type = ReadValueType(Message(message));
        break;
      case kPeriod:
        profile_.period = Signed(message);
        break;
      case kComment:
        ReadNumbers(message, [this](uint64_t index) {
          Append(profile_.comments, StringAt(index));
        });
        break;
      case kDefaultSampleType:
        profile_.default_sample_type = String(message);
        break;
      case kDocUrl:
        profile_.doc_url = String(message);
        break;
      default:
        message.skip();
    }
  }

  // Two profiles written one after the other are one message to protobuf; only
  // the second time tells.
  void ReadTime(pbf_reader& message) {
    if (profile_.time != absl::UnixEpoch()) {
      throw Refused{"concatenated profiles detected"};
    }
    profile_.time = absl::FromUnixNanos(Signed(message));
  }

  ValueType ReadValueType(pbf_reader message) {
    ValueType type;
    while (message.next()) {
      switch (message.tag()) {
        case kType:
          type.type = String(message);
          break;
        case kUnit:
          type.unit = String(message);
          break;
        default:
          message.skip();
      }
    }
    return type;
  }

  Sample ReadSample(pbf_reader message) {
    Sample sample;
    while (message.next()) {
      switch (message.tag()) {
        case kSampleLocationId:
          ReadNumbers(message,
                      [&](uint64_t id) { Append(sample.location_ids, id); });
          break;
        case kSampleValue:
          ReadNumbers(message, [&](uint64_t value) {
            Append(sample.values, static_cast<int64_t>(value));
          });
          break;
        case kSampleLabel:
          ReadLabel(Message(message), sample);
          break;
        default:
          message.skip();
      }
    }
    SortLabels(sample.labels);
    return sample;
  }

  void ReadLabel(pbf_reader message, Sample& sample) {
    Label label;
    while (message.next()) {
      switch (message.tag()) {
        case kLabelKey:
          label.key = String(message);
          break;
        case kLabelText:
          label.text = String(message);
          break;
        case kLabelNumber:
          label.number = Signed(message);
          break;
        case kLabelUnit:
          label.unit = String(message);
          break;
        default:
          message.skip();
      }
    }
    // A label is a string or a number, and one that says nothing is none.
    if (!label.text.empty()) {
      label.number = 0;
      label.unit.clear();
    } else if (label.number == 0 && label.unit.empty()) {
      return;
    }
    Append(sample.labels, std::move(label));
  }

  Mapping ReadMapping(pbf_reader message) {
    Mapping mapping;
    while (message.next()) {
      switch (message.tag()) {
        case kMappingId:
          mapping.id = Number(message);
          break;
        case kMappingStart:
          mapping.start = Number(message);
          break;
        case kMappingLimit:
          mapping.limit = Number(message);
          break;
        case kMappingOffset:
          mapping.file_offset = Number(message);
          break;
        case kMappingFilename:
          mapping.filename = String(message);
          break;
        case kMappingBuildId:
          mapping.build_id = String(message);
          break;
        case kMappingHasFunctions:
          mapping.has_functions = Number(message) != 0;
          break;
        case kMappingHasFilenames:
          mapping.has_filenames = Number(message) != 0;
          break;
        case kMappingHasLineNumbers:
          mapping.has_line_numbers = Number(message) != 0;
          break;
        case kMappingHasInlineFrames:
          mapping.has_inline_frames = Number(message) != 0;
          break;
        default:
          message.skip();
      }
    }
    return mapping;
  }

  Location ReadLocation(pbf_reader message) {
    Location location;
    while (message.next()) {
      switch (message.tag()) {
        case kLocationId:
          location.id = Number(message);
          break;
        case kLocationMappingId:
          location.mapping_id = Number(message);
          break;
        case kLocationAddress:
          location.address = Number(message);
          break;
        case kLocationLine:
          Append(location.lines, ReadLine(Message(message)));
          break;
        case kLocationIsFolded:
          location.is_folded = Number(message) != 0;
          break;
        default:
          message.skip();
      }
    }
    return location;
  }

  Line ReadLine(pbf_reader message) {
    Line line;
    while (message.next()) {
      switch (message.tag()) {
        case kLineFunctionId:
          line.function_id = Number(message);
          break;
        case kLineNumber:
          line.line = Signed(message);
          break;
        case kLineColumn:
          line.column = Signed(message);
          break;
        default:
          message.skip();
      }
    }
    return line;
  }

  Function ReadFunction(pbf_reader message) {
    Function function;
    while (message.next()) {
      switch (message.tag()) {
        case kFunctionId:
          function.id = Number(message);
          break;
        case kFunctionName:
          function.name = String(message);
          break;
        case kFunctionSystemName:
          function.system_name = String(message);
          break;
        case kFunctionFilename:
          function.filename = String(message);
          break;
        case kFunctionStartLine:
          function.start_line = Signed(message);
          break;
        default:
          message.skip();
      }
    }
    return function;
  }

  template <typename T>
  void Append(std::vector<T>& list, T element) {
    budget_.Take(sizeof(T));
    list.push_back(std::move(element));
  }

  std::string String(pbf_reader& message) { return StringAt(Number(message)); }

  std::string StringAt(uint64_t index) {
    if (index >= strings_.size()) {
      ThrowMalformed(absl::StrCat("string ", index, " of ", strings_.size()));
    }
    std::string_view text = strings_[index];
    budget_.Take(text.size());
    return std::string(text);
  }

  // To pprof a location in a mapping that is not there is in none.
  void DropUnknownMappings() {
    ById<Mapping> mappings(profile_.mappings);
    for (Location& location : profile_.locations) {
      if (mappings.Find(location.mapping_id) == nullptr) {
        location.mapping_id = 0;
      }
    }
  }

  std::string_view message_;
  Budget budget_;
  std::vector<std::string_view> strings_;
  Profile profile_;
};

absl::Status CannotParse(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("parsing profile: ", why));
}

}  // namespace

absl::StatusOr<Profile> DecodePprofMessage(std::string_view message,
                                           size_t max_bytes) {
  if (message.empty()) return CannotParse("empty input file");
  Profile profile;
  try {
    profile = Decoder(message, max_bytes).Decode();
  } catch (const Refused& refused) {
    return CannotParse(refused.why);
  } catch (const protozero::exception& error) {
    return CannotParse(absl::StrCat(kMalformed, error.what()));
  }
  if (absl::Status s = CheckValid(profile); !s.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("malformed profile: ", s.message()));
  }
  return profile;
}

absl::StatusOr<Profile> DecodePprof(std::string_view bytes) {
  if (!IsGzip(bytes)) return DecodePprofMessage(bytes, kMaxDecodedBytes);
  absl::StatusOr<std::string> message = Gunzip(bytes, kMaxDecodedBytes);
  if (!message.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("decompressing profile: ", message.status().message()));
  }
  return DecodePprofMessage(*message, kMaxDecodedBytes);
}

}  // namespace wallprof
