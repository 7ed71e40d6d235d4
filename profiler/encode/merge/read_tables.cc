#include "profiler/encode/merge/read_tables.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "profiler/encode/merge/id_index.h"
#include "profiler/encode/merge/read_samples.h"
#include "profiler/encode/merge/wire_cursor.h"
#include "profiler/encode/pprof_fields.h"
#include "profiler/encode/pprof_message.h"
#include "profiler/encode/pprof_wire.h"

namespace wallprof {
namespace {

using namespace pprof_fields;  // NOLINT: they are this file's vocabulary

// As far ahead as memory comes in the time that it takes to get there.
constexpr size_t kPrefetchBytes = 1024;

class TablesReader {
 public:
  TablesReader(std::string_view message, size_t max_bytes, PprofTables& tables)
      : message_(message), budget_(max_bytes), tables_(tables) {}

  // Throws Malformed and Refused.
  void Read(SamplesKept kept) && {
    WireCursor message(message_);
    while (!message.AtEnd()) ReadField(message);
    CheckStrings();
    ResolveIds();
    SampleReader samples(tables_, location_ids_, budget_);
    if (kept == SamplesKept::kAll) {
      samples.ReadAll<true>(sample_bodies_);
    } else {
      samples.ReadAll<false>(sample_bodies_);
    }
    MarkUsed();
  }

 private:
  void ReadField(WireCursor& message) {
    switch (uint32_t key = message.Key()) {
      case BytesKey(kSampleType):
        budget_.Take(sizeof(ValueType));
        tables_.types.push_back(ReadType(WireCursor(message.Bytes())));
        break;
      case BytesKey(kSample):
        sample_bodies_.push_back(message.Bytes());
        break;
      case BytesKey(kMapping):
        ReadMapping(WireCursor(message.Bytes()));
        break;
      case BytesKey(kLocation):
        ReadLocation(WireCursor(message.Bytes()));
        break;
      case BytesKey(kFunction):
        ReadFunction(WireCursor(message.Bytes()));
        break;
      case BytesKey(kStringTable):
        budget_.Take(sizeof(std::string_view));
        tables_.strings.push_back(message.Bytes());
        // Only the sizes of strings are read, too far apart to be foreseen.
        __builtin_prefetch(message.position() + kPrefetchBytes);
        break;
      default:
        ReadHeaderField(key, message);
    }
  }

  // Those that are there once.
  void ReadHeaderField(uint32_t key, WireCursor& message) {
    switch (key) {
      case VarintKey(kDropFrames):
        ReadString(message, tables_.drop_frames);
        break;
      case VarintKey(kKeepFrames):
        ReadString(message, tables_.keep_frames);
        break;
      case VarintKey(kTimeNanos):
        // One after the first is of another profile, written after this one.
        if (tables_.time_nanos != 0) throw Malformed();
        tables_.time_nanos = message.Signed();
        break;
      case VarintKey(kDurationNanos):
        tables_.duration_nanos = message.Signed();
        break;
      case BytesKey(kPeriodType):
        replaced_.push_back(tables_.period_type.type);
        replaced_.push_back(tables_.period_type.unit);
        tables_.period_type = ReadType(WireCursor(message.Bytes()));
        break;
      case VarintKey(kPeriod):
        tables_.period = message.Signed();
        break;
      case VarintKey(kComment):
        AddComment(message);
        break;
      case BytesKey(kComment): {
        WireCursor packed(message.Bytes());
        while (!packed.AtEnd()) AddComment(packed);
        break;
      }
      case VarintKey(kDefaultSampleType):
        ReadString(message, tables_.default_type);
        break;
      case VarintKey(kDocUrl):
        ReadString(message, tables_.doc_url);
        break;
      default:
        message.SkipUnknown(key, kDocUrl);
    }
  }

  // Strings follow what names them, so that they are checked at the end.
  void ReadString(WireCursor& message, uint32_t& number) {
    uint64_t read = message.Varint();
    last_string_ = std::max(last_string_, read);
    if (number != 0) replaced_.push_back(number);
    number = static_cast<uint32_t>(read);
  }

  void AddComment(WireCursor& message) {
    budget_.Take(sizeof(std::string));
    uint32_t comment = 0;
    ReadString(message, comment);
    tables_.comments.push_back(comment);
  }

  PprofTables::Type ReadType(WireCursor message) {
    PprofTables::Type type;
    while (!message.AtEnd()) {
      switch (uint32_t key = message.Key()) {
        case VarintKey(kType):
          ReadString(message, type.type);
          break;
        case VarintKey(kUnit):
          ReadString(message, type.unit);
          break;
        default:
          message.SkipUnknown(key, kUnit);
      }
    }
    return type;
  }

  void ReadMapping(WireCursor message) {
    PprofTables::Mapping mapping;
    while (!message.AtEnd()) {
      switch (uint32_t key = message.Key()) {
        case VarintKey(kMappingId):
          mapping.id = message.Varint();
          break;
        case VarintKey(kMappingStart):
          mapping.start = message.Varint();
          break;
        case VarintKey(kMappingLimit):
          mapping.limit = message.Varint();
          break;
        case VarintKey(kMappingOffset):
          mapping.file_offset = message.Varint();
          break;
        case VarintKey(kMappingFilename):
          ReadString(message, mapping.filename);
          break;
        case VarintKey(kMappingBuildId):
          ReadString(message, mapping.build_id);
          break;
        case VarintKey(kMappingHasFunctions):
          mapping.has_functions = message.Varint() != 0;
          break;
        case VarintKey(kMappingHasFilenames):
          mapping.has_filenames = message.Varint() != 0;
          break;
        case VarintKey(kMappingHasLineNumbers):
          mapping.has_line_numbers = message.Varint() != 0;
          break;
        case VarintKey(kMappingHasInlineFrames):
          mapping.has_inline_frames = message.Varint() != 0;
          break;
        default:
          message.SkipUnknown(key, kMappingHasInlineFrames);
      }
    }
    budget_.Take(sizeof(Mapping));
    tables_.mappings.push_back(mapping);
  }

  void ReadLocation(WireCursor message) {
    PprofTables::Location location;
    location.mapping = 0;  // an id until ResolveIds
    location.lines_begin = tables_.lines.size();
    while (!message.AtEnd()) {
      switch (uint32_t key = message.Key()) {
        case VarintKey(kLocationId):
          location.id = message.Varint();
          break;
        case VarintKey(kLocationMappingId):
          location.mapping = message.Varint();
          break;
        case VarintKey(kLocationAddress):
          location.address = message.Varint();
          break;
        case BytesKey(kLocationLine):
          budget_.Take(sizeof(Line));
          tables_.lines.push_back(ReadLine(WireCursor(message.Bytes())));
          break;
        case VarintKey(kLocationIsFolded):
          location.is_folded = message.Varint() != 0;
          break;
        default:
          message.SkipUnknown(key, kLocationIsFolded);
      }
    }
    location.lines_end = tables_.lines.size();
    budget_.Take(sizeof(Location));
    tables_.locations.push_back(location);
  }

  static PprofTables::Line ReadLine(WireCursor message) {
    PprofTables::Line line;
    while (!message.AtEnd()) {
      switch (uint32_t key = message.Key()) {
        case VarintKey(kLineFunctionId):
          line.function = message.Varint();  // an id until ResolveIds
          break;
        case VarintKey(kLineNumber):
          line.line = message.Signed();
          break;
        case VarintKey(kLineColumn):
          line.column = message.Signed();
          break;
        default:
          message.SkipUnknown(key, kLineColumn);
      }
    }
    return line;
  }

  void ReadFunction(WireCursor message) {
    PprofTables::Function function;
    while (!message.AtEnd()) {
      switch (uint32_t key = message.Key()) {
        case VarintKey(kFunctionId):
          function.id = message.Varint();
          break;
        case VarintKey(kFunctionName):
          ReadString(message, function.name);
          break;
        case VarintKey(kFunctionSystemName):
          ReadString(message, function.system_name);
          break;
        case VarintKey(kFunctionFilename):
          ReadString(message, function.filename);
          break;
        case VarintKey(kFunctionStartLine):
          function.start_line = message.Signed();
          break;
        default:
          message.SkipUnknown(key, kFunctionStartLine);
      }
    }
    budget_.Take(sizeof(Function));
    tables_.functions.push_back(function);
  }

  void CheckStrings() {
    const auto& strings = tables_.strings;
    if (strings.empty() || !strings[0].empty()) throw Malformed();
    if (last_string_ >= strings.size()) throw Malformed();
    // Each mention of a string would be a copy of it.
    for (uint32_t number : replaced_) Spend(number);
    for (PprofTables::Type type : tables_.types) Spend(type);
    for (const PprofTables::Mapping& mapping : tables_.mappings) {
      Spend(mapping.filename);
      Spend(mapping.build_id);
    }
    for (const PprofTables::Function& function : tables_.functions) {
      Spend(function.name);
      Spend(function.system_name);
      Spend(function.filename);
    }
    for (uint32_t comment : tables_.comments) Spend(comment);
    Spend(tables_.period_type);
    for (uint32_t number : {tables_.drop_frames, tables_.keep_frames,
                            tables_.default_type, tables_.doc_url}) {
      Spend(number);
    }
  }

  void Spend(uint32_t string) { budget_.Take(tables_.strings[string].size()); }
  void Spend(PprofTables::Type type) {
    Spend(type.type);
    Spend(type.unit);
  }

  void ResolveIds() {
    IdIndex mappings;
    IdIndex functions;
    if (!mappings.Build(tables_.mappings) ||
        !functions.Build(tables_.functions) ||
        !location_ids_.Build(tables_.locations)) {
      throw Malformed();
    }
    for (PprofTables::Location& location : tables_.locations) {
      // One that is not there is as good as none, to pprof.
      static_assert(PprofTables::kNoMapping == IdIndex::kNone);
      location.mapping = mappings.Find(location.mapping);
    }
    for (PprofTables::Line& line : tables_.lines) {
      line.function = functions.Find(line.function);
      if (line.function == IdIndex::kNone) throw Malformed();
    }
  }

  void MarkUsed() {
    for (const PprofTables::Location& location : tables_.locations) {
      if (!location.is_used) continue;
      if (location.mapping != PprofTables::kNoMapping) {
        tables_.mappings[location.mapping].is_used = true;
      }
      for (uint64_t i = location.lines_begin; i < location.lines_end; ++i) {
        tables_.functions[tables_.lines[i].function].is_used = true;
      }
    }
  }

  std::string_view message_;
  pprof_wire::Budget budget_;
  PprofTables& tables_;
  FlatArray<std::string_view> sample_bodies_;
  uint64_t last_string_ = 0;      // the highest number named
  FlatArray<uint32_t> replaced_;  // strings of fields that came again
  IdIndex location_ids_;
};

// Why the decoder refuses a message.
absl::Status WhyRefused(std::string_view message, size_t max_bytes) {
  constexpr size_t kMostBytes = std::numeric_limits<uint32_t>::max();
  if (message.size() > kMostBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("parsing profile: more than ", kMostBytes, " bytes"));
  }
  absl::Status why =
      DecodePprofMessage(message, std::min(max_bytes, kMaxExplainedBytes))
          .status();
  if (!why.ok()) return why;
  return absl::InternalError("parsing profile: refused without a reason");
}

}  // namespace

absl::Status ReadTables(std::string_view message, size_t max_bytes,
                        SamplesKept kept, PprofTables& tables) {
  tables.Clear();
  bool is_readable = !message.empty() &&
                     message.size() <= std::numeric_limits<uint32_t>::max();
  try {
    if (is_readable) TablesReader(message, max_bytes, tables).Read(kept);
  } catch (const Malformed&) {
    is_readable = false;
  } catch (const pprof_wire::Refused&) {
    is_readable = false;
  }
  if (is_readable) return absl::OkStatus();
  tables.Clear();
  return WhyRefused(message, max_bytes);
}

}  // namespace wallprof
