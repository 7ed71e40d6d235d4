// What is told of what happens: key=value pairs on one line.
#ifndef WALLPROF_FLEET_LOG_LOG_LINE_H_
#define WALLPROF_FLEET_LOG_LOG_LINE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace wallprof::fleet {

using Log = std::function<void(std::string_view)>;

//   LogLine("sent").Add("type", "wall").Add("bytes", 51234).text()
//   -> event=sent type=wall bytes=51234
class LogLine {
 public:
  explicit LogLine(std::string_view event) { Add("event", event); }

  // Values with blanks, quotes or control characters are quoted, so that
  // whatever others answer stays on the line.
  LogLine& Add(std::string_view key, std::string_view value);
  LogLine& Add(std::string_view key, int64_t value);

  const std::string& text() const { return text_; }

  // To `log`, unless it is empty.
  void To(const Log& log) const {
    if (log) log(text_);
  }

 private:
  std::string text_;
};

}  // namespace wallprof::fleet

#endif  // WALLPROF_FLEET_LOG_LOG_LINE_H_
