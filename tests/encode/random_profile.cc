#include "tests/encode/random_profile.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace wallprof {
namespace {

class Maker {
 public:
  Maker(std::mt19937& random, const RandomProfileOptions& options)
      : random_(random), options_(options) {}

  Profile Make() && {
    AddHeader();
    for (int i = Below(4); i > 0; --i) AddMapping();
    for (int i = 1 + Below(8); i > 0; --i) AddFunction();
    for (int i = 1 + Below(12); i > 0; --i) AddLocation();
    for (int i = Below(options_.samples + 1); i > 0; --i) AddSample();
    if (OneIn(3)) Renumber();
    return std::move(profile_);
  }

 private:
  int Below(int end) { return static_cast<int>(random_() % end); }
  bool OneIn(int n) { return Below(n) == 0; }

  template <typename T>
  T OneOf(std::initializer_list<T> list) {
    return list.begin()[Below(static_cast<int>(list.size()))];
  }
  template <typename T>
  const T& OneOf(const std::vector<T>& list) {
    return list[Below(static_cast<int>(list.size()))];
  }

  void AddHeader() {
    for (size_t i = 0; i < options_.types; ++i) {
      profile_.sample_types.push_back({absl::StrCat("type", i), "count"});
    }
    profile_.period_type = {"cpu", "nanoseconds"};
    profile_.period = Below(5) - 2;
    profile_.time = absl::FromUnixNanos(Below(4));
    profile_.duration = absl::Nanoseconds(Below(100));
    profile_.default_sample_type = OneOf({"", "type0", "a"});
    profile_.doc_url = OneOf({"", "https://example.org/", "b"});
    profile_.drop_frames = OneOf({"", "drop", "f1"});
    profile_.keep_frames = OneOf({"", "keep"});
    for (int i = Below(3); i > 0; --i) {
      profile_.comments.push_back(OneOf({"", "one", "two", "f2", "three"}));
    }
  }

  // What tells them apart: size to the page, offset, build id or else name.
  void AddMapping() {
    Mapping mapping;
    mapping.id = profile_.mappings.size() + 1;
    mapping.start = OneOf({uint64_t{0x400000}, uint64_t{0x7f0000000000},
                           uint64_t(Below(1000)) << 12});
    mapping.limit = mapping.start + OneOf({0x1000, 0x1001, 0x2000, 0xfff, 0});
    mapping.file_offset = OneOf({0, 0x1000});
    mapping.filename = OneOf({"", "/bin/a", "/bin/b", "abc"});
    mapping.build_id = OneOf({"", "abc", "def"});
    mapping.has_functions = OneIn(2);
    mapping.has_filenames = OneIn(2);
    mapping.has_line_numbers = OneIn(2);
    mapping.has_inline_frames = OneIn(2);
    profile_.mappings.push_back(mapping);
  }

  void AddFunction() {
    Function function;
    function.id = profile_.functions.size() + 1;
    function.name = OneOf({"", "f1", "f2", "f3"});
    function.system_name = OneOf({"", "f1", "_Z2f1v"});
    function.filename = OneOf({"", "a.cc", "f1"});
    function.start_line = OneOf({0, 1, -1});
    profile_.functions.push_back(function);
  }

  void AddLocation() {
    Location location;
    location.id = profile_.locations.size() + 1;
    location.address = Below(3);
    if (!profile_.mappings.empty() && !OneIn(4)) {
      const Mapping& mapping = OneOf(profile_.mappings);
      location.mapping_id = mapping.id;
      location.address += mapping.start;
    }
    for (int i = Below(3); i > 0; --i) {
      location.lines.push_back(
          {OneOf(profile_.functions).id, Below(3) - 1, Below(2)});
    }
    location.is_folded = OneIn(5);
    profile_.locations.push_back(location);
  }

  void AddSample() {
    Sample sample;
    for (int i = Below(4); i > 0; --i) {
      sample.location_ids.push_back(OneOf(profile_.locations).id);
    }
    std::uniform_int_distribution<int64_t> value(-options_.largest_value,
                                                 options_.largest_value);
    for (size_t i = 0; i < options_.types; ++i) {
      sample.values.push_back(OneIn(3) ? 0 : value(random_));
    }
    for (int i = Below(4); i > 0; --i) sample.labels.push_back(MakeLabel());
    profile_.samples.push_back(sample);
  }

  Label MakeLabel() {
    std::string key = OneOf({"", "thread", "state", "f1"});
    if (OneIn(2)) return {key, OneOf({"x", "y", "thread"})};
    return {key, "", 1 + Below(2), OneOf({"", "bytes", "x"})};
  }

  // Ids need not be in order, nor near 0.
  void Renumber() {
    const uint64_t step = OneOf({uint64_t{1}, uint64_t{7}, uint64_t{1} << 33});
    const uint64_t top = 1 + step * 100;
    auto renumber = [&](uint64_t& id) { id = id == 0 ? 0 : top - id * step; };
    for (Mapping& mapping : profile_.mappings) renumber(mapping.id);
    for (Function& function : profile_.functions) renumber(function.id);
    for (Location& location : profile_.locations) {
      renumber(location.id);
      renumber(location.mapping_id);
      for (Line& line : location.lines) renumber(line.function_id);
    }
    for (Sample& sample : profile_.samples) {
      for (uint64_t& id : sample.location_ids) renumber(id);
    }
  }

  std::mt19937& random_;
  RandomProfileOptions options_;
  Profile profile_;
};

}  // namespace

Profile RandomProfile(std::mt19937& random,
                      const RandomProfileOptions& options) {
  return Maker(random, options).Make();
}

}  // namespace wallprof
