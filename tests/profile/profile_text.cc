#include "tests/profile/profile_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace wallprof {
namespace {

std::string TypeText(const ValueType& type) {
  return absl::StrCat(type.type, "/", type.unit);
}

std::string SampleText(const Sample& sample) {
  std::string text =
      absl::StrCat("sample ", absl::StrJoin(sample.values, " "), " at ",
                   absl::StrJoin(sample.location_ids, " "));
  for (const Label& label : sample.labels) {
    absl::StrAppend(&text, " {", label.key, "=", label.text, "|", label.number,
                    "|", label.unit, "}");
  }
  return text;
}

std::string MappingText(const Mapping& m) {
  return absl::StrCat("mapping ", m.id, " ", absl::Hex(m.start), "-",
                      absl::Hex(m.limit), "@", absl::Hex(m.file_offset), " ",
                      m.filename, " ", m.build_id, " ", m.has_functions,
                      m.has_filenames, m.has_line_numbers, m.has_inline_frames);
}

std::string LocationText(const Location& location) {
  std::string text = absl::StrCat(
      "location ", location.id, " in ", location.mapping_id, " at ",
      absl::Hex(location.address), location.is_folded ? " folded" : "");
  for (const Line& line : location.lines) {
    absl::StrAppend(&text, " ", line.function_id, ":", line.line, ":",
                    line.column);
  }
  return text;
}

}  // namespace

std::string ProfileText(const Profile& profile) {
  std::string text;
  for (const ValueType& type : profile.sample_types) {
    absl::StrAppend(&text, "type ", TypeText(type), "\n");
  }
  absl::StrAppend(&text, "default ", profile.default_sample_type, "\n");
  for (const Sample& sample : profile.samples) {
    absl::StrAppend(&text, SampleText(sample), "\n");
  }
  for (const Mapping& mapping : profile.mappings) {
    absl::StrAppend(&text, MappingText(mapping), "\n");
  }
  for (const Location& location : profile.locations) {
    absl::StrAppend(&text, LocationText(location), "\n");
  }
  for (const Function& f : profile.functions) {
    absl::StrAppend(&text, "function ", f.id, " ", f.name, " ", f.system_name,
                    " ", f.filename, ":", f.start_line, "\n");
  }
  absl::StrAppend(&text, "drop ", profile.drop_frames, " keep ",
                  profile.keep_frames, "\n");
  absl::StrAppend(&text, "time ", absl::ToUnixNanos(profile.time), " duration ",
                  absl::ToInt64Nanoseconds(profile.duration), "\n");
  absl::StrAppend(&text, "period ", profile.period, " ",
                  TypeText(profile.period_type), "\n");
  for (const std::string& comment : profile.comments) {
    absl::StrAppend(&text, "comment ", comment, "\n");
  }
  absl::StrAppend(&text, "doc ", profile.doc_url, "\n");
  return text;
}

}  // namespace wallprof
