// What a daemon tells of what happens: a line for each event, with its time and
// level, on standard error or wherever lines go.
#ifndef WALLPROF_FLEET_SERVING_EVENT_LOG_H_
#define WALLPROF_FLEET_SERVING_EVENT_LOG_H_

#include <functional>
#include <string_view>

#include "absl/time/time.h"
#include "fleet/log/log_line.h"

namespace wallprof::serving {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kLogfmt, kJson };

// Thread-safe.
class EventLog {
 public:
  // Takes whole lines, with the newline, one a call.
  using Sink = std::function<void(std::string_view)>;

  EventLog(LogFormat format, LogLevel least, Sink sink);

  // Lines below the least level are dropped.
  //   logfmt: time=2026-01-02T03:04:05.678Z level=info event=started port=10100
  //   JSON: {"time":"2026-...Z","level":"info","event":"started","port":10100}
  void Write(LogLevel level, const fleet::LogLine& line);

  void Info(const fleet::LogLine& line) { Write(LogLevel::kInfo, line); }
  void Warn(const fleet::LogLine& line) { Write(LogLevel::kWarning, line); }
  void Error(const fleet::LogLine& line) { Write(LogLevel::kError, line); }

  // Whether lines of this level are written: those who would gather many
  // values for one can spare it.
  bool Takes(LogLevel level) const { return level >= least_; }

 private:
  const LogFormat format_;
  const LogLevel least_;
  const Sink sink_;
};

// To standard error, a write() each, so that lines of several threads stay
// apart.
void WriteToStandardError(std::string_view line);

}  // namespace wallprof::serving

#endif  // WALLPROF_FLEET_SERVING_EVENT_LOG_H_
