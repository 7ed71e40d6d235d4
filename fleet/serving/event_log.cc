#include "fleet/serving/event_log.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace wallprof::serving {
namespace {

absl::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warn";
    case LogLevel::kError:
      break;
  }
  return "error";
}

}  // namespace

EventLog::EventLog(LogFormat format, LogLevel least, Sink sink)
    : format_(format), least_(least), sink_(std::move(sink)) {}

void EventLog::Write(LogLevel level, const fleet::LogLine& line) {
  if (!Takes(level)) return;
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(),
                                            absl::UTCTimeZone());
  if (format_ == LogFormat::kJson) {
    sink_(absl::StrCat("{\"time\":\"", time, "\",\"level\":\"", NameOf(level),
                       "\",", line.json_members(), "}\n"));
  } else {
    sink_(absl::StrCat("time=", time, " level=", NameOf(level), " ",
                       line.text(), "\n"));
  }
}

void WriteToStandardError(std::string_view line) {
  // There is nowhere to say that this failed.
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace wallprof::serving
