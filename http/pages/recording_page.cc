#include "http/pages/recording_page.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "fleet/bundle/json.h"

namespace wallprof::http {

using bundle::Json;
using bundle::JsonText;

namespace {

std::string FormatInstant(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

// A table has room for no more than milliseconds.
std::string Short(absl::Duration duration) {
  return absl::FormatDuration(absl::Trunc(duration, absl::Milliseconds(1)));
}

}  // namespace

std::string RecordingText(const Recorded& recorded) {
  std::string text =
      absl::StrCat("slices ", recorded.slices.size(), ", memory ",
                   recorded.memory_bytes, " bytes\n");
  if (!recorded.directory.empty()) {
    absl::StrAppend(&text, "directory ", recorded.directory, ": ",
                    recorded.slices_written, " slices written, ",
                    recorded.slices_lost, " lost");
    if (!recorded.last_error.empty()) {
      absl::StrAppend(&text, " (", recorded.last_error, ")");
    }
    text += "\n";
  }
  absl::StrAppendFormat(&text, "\n%-24s  %-24s  %12s  %12s  %7s  %7s\n",
                        "start", "end", "wall", "cpu", "ticks", "threads");
  for (const RecordedSlice& slice : recorded.slices) {
    absl::StrAppendFormat(&text, "%-24s  %-24s  %12s  %12s  %7d  %7d\n",
                          FormatInstant(slice.start), FormatInstant(slice.end),
                          Short(slice.wall), Short(slice.cpu), slice.ticks,
                          slice.threads);
  }
  if (!recorded.events.empty()) text += "\n";
  for (const RecordedEvent& event : recorded.events) {
    absl::StrAppendFormat(&text, "%-24s  %-14s  %s\n",
                          FormatInstant(event.time), event.kind, event.detail);
  }
  return text;
}

std::string RecordingJson(const Recorded& recorded) {
  Json slices = Json::array();
  for (const RecordedSlice& slice : recorded.slices) {
    slices.push_back({{"start", FormatInstant(slice.start)},
                      {"end", FormatInstant(slice.end)},
                      {"duration_ns", absl::ToInt64Nanoseconds(slice.duration)},
                      {"wall_ns", absl::ToInt64Nanoseconds(slice.wall)},
                      {"cpu_ns", absl::ToInt64Nanoseconds(slice.cpu)},
                      {"ticks", slice.ticks},
                      {"threads", slice.threads}});
  }
  Json events = Json::array();
  for (const RecordedEvent& event : recorded.events) {
    events.push_back({{"time", FormatInstant(event.time)},
                      {"kind", event.kind},
                      {"detail", event.detail}});
  }
  return JsonText({{"memory_bytes", recorded.memory_bytes},
                   {"directory", recorded.directory},
                   {"slices_written", recorded.slices_written},
                   {"slices_lost", recorded.slices_lost},
                   {"last_error", recorded.last_error},
                   {"slices", std::move(slices)},
                   {"events", std::move(events)}});
}

}  // namespace wallprof::http
