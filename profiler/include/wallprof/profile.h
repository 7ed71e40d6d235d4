// The profile as plain data: what was sampled, where, and for how long.
//
// The model is that of pprof's profile.proto: a profile has sample types, and
// samples, each with a stack of locations and one value per type. Locations
// lie in mappings and, once symbolized, name functions. Encoders, merge and
// filters are free functions over it (formats.h, merge.h).
//
//   wallprof::Profile profile = ...;
//   if (absl::Status s = wallprof::CheckValid(profile); !s.ok()) return s;
//   for (const wallprof::Sample& sample : profile.samples) {
//     total += sample.values[2];  // wall nanoseconds in a wall profile
//   }
#ifndef WALLPROF_PROFILE_H_
#define WALLPROF_PROFILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace wallprof {

// What a number in Sample::values means, e.g. {"wall", "nanoseconds"}.
struct ValueType {
  std::string type;
  std::string unit;

  friend bool operator==(const ValueType& a, const ValueType& b) {
    return a.type == b.type && a.unit == b.unit;
  }
  friend bool operator!=(const ValueType& a, const ValueType& b) {
    return !(a == b);
  }
};

// A key with either a string (`text`, when not empty) or a number.
struct Label {
  std::string key;
  std::string text;
  int64_t number = 0;
  std::string unit;  // of `number`; may be empty

  friend bool operator==(const Label& a, const Label& b) {
    return a.key == b.key && a.text == b.text && a.number == b.number &&
           a.unit == b.unit;
  }
};

struct Sample {
  std::vector<uint64_t> location_ids;  // leaf first
  std::vector<int64_t> values;         // one per Profile::sample_types
  std::vector<Label> labels;
};

// A part of a file mapped into the address space at [start, limit).
struct Mapping {
  uint64_t id = 0;  // never 0 in a valid profile
  uint64_t start = 0;
  uint64_t limit = 0;
  uint64_t file_offset = 0;  // of `start`
  std::string filename;      // "[vdso]" for the vDSO
  std::string build_id;      // lower-case hex
  bool has_functions = false;
  bool has_filenames = false;
  bool has_line_numbers = false;
  bool has_inline_frames = false;
};

struct Line {
  uint64_t function_id = 0;
  int64_t line = 0;  // 0: unknown
  int64_t column = 0;
};

struct Location {
  uint64_t id = 0;          // never 0 in a valid profile
  uint64_t mapping_id = 0;  // 0: none
  // Address at run time. Of a caller's frame it lies inside the call
  // instruction (the return address minus one). 0 for pseudo-frames.
  uint64_t address = 0;
  std::vector<Line> lines;  // innermost inlined function first
  bool is_folded = false;
};

struct Function {
  uint64_t id = 0;          // never 0 in a valid profile
  std::string name;         // demangled, with parameters
  std::string system_name;  // as in the object file
  std::string filename;
  int64_t start_line = 0;
};

struct Profile {
  std::vector<ValueType> sample_types;
  std::string default_sample_type;
  std::vector<Sample> samples;
  std::vector<Mapping> mappings;  // the main binary first
  std::vector<Location> locations;
  std::vector<Function> functions;
  std::string drop_frames;
  std::string keep_frames;
  absl::Time time = absl::UnixEpoch();  // UnixEpoch(): unknown
  absl::Duration duration;
  ValueType period_type;
  int64_t period = 0;  // in units of `period_type`
  std::vector<std::string> comments;
  std::string doc_url;
};

// OkStatus if the profile keeps pprof's rules: ids unique and not 0, no
// dangling reference, as many values in each sample as there are sample types.
// Otherwise InvalidArgument naming the first offence in pprof's words.
absl::Status CheckValid(const Profile& profile);

// Index in `profile.sample_types` of the type called `type`, or -1.
int SampleTypeIndex(const Profile& profile, std::string_view type);

}  // namespace wallprof

#endif  // WALLPROF_PROFILE_H_
