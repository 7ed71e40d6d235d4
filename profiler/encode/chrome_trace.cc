// The trace format of Chrome's tracing page, which Perfetto opens too: threads
// side by side on one line of time. Its document is "Trace Event Format",
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
//
// A profile has sums, not moments: of each slice of time it is known what a
// thread did how long, not when. So a slice is a flame graph as wide as the
// time that its stacks had.
#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "profiler/encode/json.h"
#include "profiler/profile/frames.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/saturating.h"
#include "profiler/profile/time_slices.h"
#include "profiler/profile/view.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

// Of a thread in one slice no more stacks are shown: a day of a large program
// would be more than a viewer opens.
constexpr size_t kMaxStacks = 12;
constexpr char kRest[] = "[less heavy stacks]";

// Perfetto shows no deeper stacks.
constexpr size_t kMaxDepth = 500;

// Longer slices, of 36 years, are none.
constexpr int64_t kMostNs = int64_t{1} << 60;

// The viewers show one process; which it was, no profile says.
constexpr int64_t kProcess = 1;

struct Thread {
  std::string name;
  int64_t tid = 0;

  friend bool operator<(const Thread& a, const Thread& b) {
    return std::tie(a.name, a.tid) < std::tie(b.name, b.tid);
  }
};

using Stack = std::vector<uint32_t>;  // root first

// What a thread did in a slice: nanoseconds by stack.
using Sums = std::map<Stack, int64_t>;

Thread ThreadOf(const Sample& sample) {
  Thread thread;
  thread.name = std::string(LabelText(sample, "thread"));
  for (const Label& label : sample.labels) {
    if (label.key == "tid" && label.text.empty()) thread.tid = label.number;
  }
  return thread;
}

std::string NameOf(const Thread& thread) {
  return thread.name.empty() ? "all threads" : thread.name;
}

double Microseconds(int64_t ns) { return static_cast<double>(ns) / 1000; }

class Trace {
 public:
  Trace(const Profile& profile, const ViewColumn& column)
      : profile_(profile), column_(column), frames_(profile) {}

  Json Events() {
    std::map<Thread, std::map<TimeSlice, Sums>> threads;
    for (const Sample& sample : profile_.samples) {
      const int64_t weight = column_.Of(sample);
      // Of a difference, what is less than before took no time.
      if (weight <= 0) continue;
      Stack stack;
      frames_.AppendStack(sample, stack);
      int64_t& sum = threads[ThreadOf(sample)][SliceOf(profile_, sample)]
                            [std::move(stack)];
      sum = SaturatingAdd(sum, weight);
    }
    AddNames(threads);
    for (const auto& [thread, slices] : threads) {
      for (const auto& [slice, sums] : slices) AddSlice(thread, slice, sums);
    }
    for (const TimedComment& comment : TimedComments(profile_)) {
      AddInstant(comment);
    }
    return std::move(events_);
  }

 private:
  // Threads without a number are one row each too, below any number that there
  // is.
  int64_t RowOf(const Thread& thread) {
    if (thread.tid != 0) return thread.tid;
    return rows_.try_emplace(thread.name, -1 - int64_t(rows_.size()))
        .first->second;
  }

  template <typename Threads>
  void AddNames(const Threads& threads) {
    events_.push_back({{"ph", "M"},
                       {"name", "process_name"},
                       {"pid", kProcess},
                       {"args", {{"name", ProgramName()}}}});
    for (const auto& [thread, slices] : threads) {
      events_.push_back({{"ph", "M"},
                         {"name", "thread_name"},
                         {"pid", kProcess},
                         {"tid", RowOf(thread)},
                         {"args", {{"name", NameOf(thread)}}}});
    }
  }

  std::string ProgramName() const {
    if (profile_.mappings.empty()) return "program";
    const std::string& path = profile_.mappings.front().filename;
    return path.empty() ? "program" : path.substr(path.rfind('/') + 1);
  }

  // The heaviest stacks as a tree of spans.
  void AddSlice(const Thread& thread, const TimeSlice& slice,
                const Sums& sums) {
    std::vector<std::pair<Stack, int64_t>> heaviest(sums.begin(), sums.end());
    std::stable_sort(
        heaviest.begin(), heaviest.end(),
        [](const auto& a, const auto& b) { return a.second > b.second; });
    int64_t total = 0;
    for (const auto& [stack, weight] : heaviest) {
      total = SaturatingAdd(total, weight);
    }
    int64_t rest = 0;
    while (heaviest.size() > kMaxStacks) {
      rest = SaturatingAdd(rest, heaviest.back().second);
      heaviest.pop_back();
    }
    // Threads of one name and no number may have more time than passed.
    const int64_t most = slice.length_ns > 0 ? slice.length_ns : kMostNs;
    const double scale =
        total > most ? static_cast<double>(most) / static_cast<double>(total)
                     : 1;
    const int64_t row = RowOf(thread);
    const auto scaled = [scale](int64_t weight) {
      return static_cast<int64_t>(static_cast<double>(weight) * scale);
    };
    AddSpan(row, absl::StrCat(column_.type.type, " of ", NameOf(thread)),
            slice.start_ns, scaled(total), total);
    // Stacks that share their callers stand together, under these.
    std::sort(heaviest.begin(), heaviest.end());
    int64_t at = slice.start_ns;
    AddFrames(row, heaviest, 0, heaviest.size(), 0, scaled, at);
    if (rest > 0) AddSpan(row, kRest, at, scaled(rest), rest);
  }

  using Heaviest = std::vector<std::pair<Stack, int64_t>>;

  // Of the stacks from `begin` to `end`, which share their first `depth`
  // frames, the frames from there on. `at` is where the next one begins.
  template <typename Scaled>
  void AddFrames(int64_t row, const Heaviest& stacks, size_t begin, size_t end,
                 size_t depth, const Scaled& scaled, int64_t& at) {
    for (size_t i = begin; i < end;) {
      if (stacks[i].first.size() == depth || depth == kMaxDepth) {
        at = SaturatingAdd(at, scaled(stacks[i++].second));
        continue;
      }
      const uint32_t frame = stacks[i].first[depth];
      size_t last = i;
      int64_t sum = 0;
      int64_t width = 0;
      for (; last < end && stacks[last].first.size() > depth &&
             stacks[last].first[depth] == frame;
           ++last) {
        sum = SaturatingAdd(sum, stacks[last].second);
        width = SaturatingAdd(width, scaled(stacks[last].second));
      }
      AddSpan(row, frames_.names().names()[frame], at, width, sum);
      AddFrames(row, stacks, i, last, depth + 1, scaled, at);
      i = last;
    }
  }

  void AddSpan(int64_t row, const std::string& name, int64_t start_ns,
               int64_t width_ns, int64_t weight) {
    events_.push_back({{"ph", "X"},
                       {"name", name},
                       {"cat", "slice"},
                       {"pid", kProcess},
                       {"tid", row},
                       {"ts", Microseconds(start_ns)},
                       {"dur", Microseconds(width_ns)},
                       {"args", {{column_.type.unit, weight}}}});
  }

  // On the row of the thread that it names, if it names one.
  void AddInstant(const TimedComment& comment) {
    Json event = {{"ph", "i"},
                  {"name", comment.text},
                  {"cat", "event"},
                  {"pid", kProcess},
                  {"ts", Microseconds(std::max<int64_t>(comment.time_ns, 0))},
                  {"s", "g"}};
    absl::string_view rest = comment.text;
    int64_t tid = 0;
    if ((absl::ConsumePrefix(&rest, "thread started ") ||
         absl::ConsumePrefix(&rest, "thread ended ")) &&
        std::from_chars(rest.data(), rest.data() + rest.size(), tid).ec ==
            std::errc()) {
      event["s"] = "t";
      event["tid"] = tid;
    }
    events_.push_back(std::move(event));
  }

  const Profile& profile_;
  const ViewColumn& column_;
  Frames frames_;
  Json events_ = Json::array();
  std::map<std::string, int64_t> rows_;  // of threads without a number
};

}  // namespace

std::string EncodeChromeTrace(const Profile& profile, View view) {
  const ViewColumn column = ColumnOrDefault(profile, view);
  Json trace = {{"traceEvents", Trace(profile, column).Events()},
                {"displayTimeUnit", "ms"},
                {"otherData",
                 {{"exporter", "wallprof"},
                  {"start", absl::FormatTime(absl::RFC3339_full, profile.time,
                                             absl::UTCTimeZone())}}}};
  return JsonText(trace);
}

}  // namespace wallprof
