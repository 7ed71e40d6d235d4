// What `perf script` prints: for each sample a line
//
//   COMM  PID[/TID] [CPU] SECONDS.FRACTION: [PERIOD] EVENT:
//
// and a line "ADDRESS SYMBOL+OFFSET (FILE)" for each frame, leaf first, or, of
// a sample without callers, its only frame behind the event.
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "profiler/encode/foreign/recognize.h"
#include "profiler/encode/lines.h"
#include "profiler/profile/sample_types.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

constexpr std::string_view kUnknown = "[unknown]";

// Seconds: perf counts from the machine's start. A century in nanoseconds still
// fits.
constexpr int64_t kLongestUptime = 3'155'760'000;

// What perf says of records that are no samples, when it is asked to.
constexpr std::string_view kOtherRecord = "PERF_RECORD_";

struct Header {
  std::string_view thread;
  int64_t tid = 0;
  absl::Duration time;
  int64_t period = 1;
  std::string_view event;  // empty: not a sample but another record
  std::string_view rest;   // behind the event
};

// "13775.845718:"
std::optional<absl::Duration> TimeOf(std::string_view word) {
  size_t point = word.find('.');
  if (word.empty() || word.back() != ':' || point == std::string_view::npos) {
    return std::nullopt;
  }
  word.remove_suffix(1);
  std::optional<int64_t> seconds = NumberOf<int64_t>(word.substr(0, point));
  std::string_view digits = word.substr(point + 1);
  std::optional<int64_t> fraction = NumberOf<int64_t>(digits);
  if (!seconds || !fraction || *seconds < 0 || *seconds > kLongestUptime ||
      *fraction < 0) {
    return std::nullopt;
  }
  absl::Duration unit = absl::Seconds(1);
  for (size_t i = 0; i < digits.size(); ++i) unit /= 10;
  // Nanoseconds are the finest that perf shows and that a profile keeps.
  return absl::Seconds(*seconds) +
         absl::Trunc(*fraction * unit, absl::Nanoseconds(1));
}

// "71" or, with the process's id, "70/71".
std::optional<int64_t> TidOf(std::string_view word) {
  return NumberOf<int64_t>(word.substr(word.rfind('/') + 1));
}

// Removes the last word.
std::string_view TakeLastWord(std::string_view& text) {
  text = Trimmed(text);
  size_t begin = text.find_last_of(kBlanks) + 1;  // npos + 1 is 0
  std::string_view word = text.substr(begin);
  text = Trimmed(text.substr(0, begin));
  return word;
}

std::optional<Header> HeaderOf(std::string_view line) {
  // A thread's name may have blanks in it, so the time is what to look for.
  Header header;
  std::string_view rest = line;
  while (true) {
    std::string_view word = TakeWord(rest);
    if (word.empty()) return std::nullopt;
    std::optional<absl::Duration> time = TimeOf(word);
    if (!time) continue;
    header.time = *time;
    std::string_view before = line.substr(0, word.data() - line.data());
    std::string_view tid_word = TakeLastWord(before);
    if (!tid_word.empty() && tid_word.front() == '[') {
      tid_word = TakeLastWord(before);
    }
    std::optional<int64_t> tid = TidOf(tid_word);
    if (!tid) return std::nullopt;
    header.tid = *tid;
    header.thread = before;
    break;
  }
  if (rest.substr(0, kOtherRecord.size()) == kOtherRecord) return header;
  std::string_view word = TakeWord(rest);
  if (std::optional<int64_t> period = NumberOf<int64_t>(word)) {
    header.period = *period;
    word = TakeWord(rest);
  }
  if (word.size() < 2 || word.back() != ':') return std::nullopt;
  header.event = word.substr(0, word.size() - 1);
  header.rest = rest;
  return header;
}

struct Frame {
  uint64_t address = 0;
  std::string_view symbol;  // empty: not known
  std::string_view file;    // empty: not known
};

std::string_view WithoutOffset(std::string_view symbol) {
  size_t plus = symbol.rfind("+0x");
  if (plus == std::string_view::npos || plus == 0) return symbol;
  return NumberOf<uint64_t>(symbol.substr(plus + 3), 16)
             ? symbol.substr(0, plus)
             : symbol;
}

std::optional<Frame> FrameOf(std::string_view line) {
  Frame frame;
  std::string_view rest = line;
  std::optional<uint64_t> address = NumberOf<uint64_t>(TakeWord(rest), 16);
  if (!address) return std::nullopt;
  frame.address = *address;
  if (!rest.empty() && rest.back() == ')') {
    constexpr std::string_view kDeleted = " (deleted))";
    bool deleted = rest.size() > kDeleted.size() &&
                   rest.substr(rest.size() - kDeleted.size()) == kDeleted;
    size_t open =
        rest.rfind('(', rest.size() - (deleted ? kDeleted.size() : size_t{0}));
    // The whole of what is left may be the file, where perf shows no symbol.
    if (open != std::string_view::npos &&
        (open == 0 || rest[open - 1] == ' ')) {
      frame.file = rest.substr(open + 1, rest.size() - open - 2);
      rest = Trimmed(rest.substr(0, open));
    }
  }
  frame.symbol = WithoutOffset(rest);
  if (frame.symbol == kUnknown) frame.symbol = {};
  if (frame.file == kUnknown || frame.file == "inlined") frame.file = {};
  return frame;
}

// Clocks count nanoseconds of CPU time; of other events periods are counts.
ValueType TypeOfEvent(std::string_view event) {
  std::string_view name = event.substr(0, event.find(':'));
  if (name == "cpu-clock" || name == "task-clock") {
    return {"cpu", kNanoseconds};
  }
  return {std::string(event), "count"};
}

class PerfDecoder {
 public:
  PerfDecoder() { profile_.sample_types = {{"samples", "count"}}; }

  absl::Status AddLine(std::string_view line) {
    if (line.empty()) {
      in_sample_ = false;
      return absl::OkStatus();
    }
    if (line.front() == '#') return absl::OkStatus();
    bool indented = kBlanks.find(line.front()) != std::string_view::npos;
    if (indented && in_sample_) {
      if (std::optional<Frame> frame = FrameOf(line)) {
        if (!skipping_) AddFrame(*frame);
        return absl::OkStatus();
      }
      return absl::InvalidArgumentError("not a frame, ADDRESS SYMBOL (FILE)");
    }
    std::optional<Header> header = HeaderOf(line);
    if (!header) {
      return absl::InvalidArgumentError(
          "not a sample, COMM PID TIME: PERIOD EVENT:");
    }
    AddSample(*header);
    return absl::OkStatus();
  }

  absl::StatusOr<Profile> Take() && {
    for (Sample& sample : profile_.samples) {
      sample.values.resize(profile_.sample_types.size());
    }
    // Without samples it is not known what of.
    if (profile_.sample_types.size() > 1) {
      profile_.period_type = profile_.sample_types[1];
    }
    profile_.default_sample_type =
        profile_.sample_types[profile_.sample_types.size() > 1].type;
    profile_.duration = last_ - first_;
    return Merge(absl::MakeConstSpan(&profile_, 1));
  }

 private:
  void AddSample(const Header& header) {
    in_sample_ = true;
    skipping_ = header.event.empty();
    if (skipping_) return;
    if (profile_.samples.empty()) first_ = last_ = header.time;
    first_ = std::min(first_, header.time);
    last_ = std::max(last_, header.time);
    size_t column = ColumnOf(header.event);
    Sample sample;
    sample.values.resize(column + 1);
    sample.values[0] = 1;
    sample.values[column] = header.period;
    if (!header.thread.empty()) {
      sample.labels.push_back({"thread", std::string(header.thread)});
    }
    // The idle task's 0 would be no label at all in pprof.
    if (header.tid != 0) sample.labels.push_back({"tid", "", header.tid});
    profile_.samples.push_back(std::move(sample));
    if (std::optional<Frame> frame = FrameOf(header.rest)) AddFrame(*frame);
  }

  // Events get types in order of appearance.
  size_t ColumnOf(std::string_view event) {
    ValueType type = TypeOfEvent(event);
    std::vector<ValueType>& types = profile_.sample_types;
    for (size_t i = 1; i < types.size(); ++i) {
      if (types[i] == type) return i;
    }
    types.push_back(type);
    return types.size() - 1;
  }

  // A location for each symbol of a file. Where perf's addresses lie, in the
  // file or in memory, depends on its version, so they only name what has no
  // symbol.
  void AddFrame(const Frame& frame) {
    uint64_t address = frame.symbol.empty() ? frame.address : 0;
    auto [known, is_new] =
        locations_.try_emplace(std::tuple(frame.symbol, frame.file, address),
                               profile_.locations.size() + 1);
    uint64_t id = known->second;
    profile_.samples.back().location_ids.push_back(id);
    if (!is_new) return;
    Location location;
    location.id = id;
    location.address = address;
    location.mapping_id = MappingOf(frame.file);
    if (!frame.symbol.empty()) {
      Function function;
      function.id = profile_.functions.size() + 1;
      function.name = function.system_name = std::string(frame.symbol);
      location.lines = {{function.id}};
      profile_.functions.push_back(std::move(function));
    }
    profile_.locations.push_back(std::move(location));
  }

  uint64_t MappingOf(std::string_view file) {
    if (file.empty()) return 0;
    auto [known, is_new] =
        mappings_.try_emplace(file, profile_.mappings.size() + 1);
    if (is_new) {
      Mapping mapping;
      mapping.id = known->second;
      mapping.filename = std::string(file);
      mapping.has_functions = true;
      profile_.mappings.push_back(std::move(mapping));
    }
    return known->second;
  }

  Profile profile_;
  absl::Duration first_;
  absl::Duration last_;
  bool in_sample_ = false;
  bool skipping_ = false;  // frames of a record that is no sample
  absl::flat_hash_map<std::tuple<std::string_view, std::string_view, uint64_t>,
                      uint64_t>
      locations_;
  absl::flat_hash_map<std::string_view, uint64_t> mappings_;
};

}  // namespace

bool IsPerfScript(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (line.empty() || line.front() == '#') continue;
    return HeaderOf(line).has_value();
  }
  return false;
}

absl::StatusOr<Profile> DecodePerfScript(std::string_view text) {
  PerfDecoder decoder;
  int64_t number = 0;
  while (!text.empty()) {
    ++number;
    if (absl::Status s = decoder.AddLine(TakeLine(text)); !s.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", s.message()));
    }
  }
  return std::move(decoder).Take();
}

}  // namespace wallprof
