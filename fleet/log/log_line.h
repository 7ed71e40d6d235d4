// What is told of what happens: named values on one line.
#ifndef WALLPROF_FLEET_LOG_LOG_LINE_H_
#define WALLPROF_FLEET_LOG_LOG_LINE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace wallprof::fleet {

// Takes the text of a line. Called on any thread.
using Log = std::function<void(std::string_view)>;

//   LogLine("sent").Add("type", "wall").Add("bytes", 51234).text()
//   -> event=sent type=wall bytes=51234
class LogLine {
 public:
  explicit LogLine(std::string_view event) { Add("event", event); }

  LogLine& Add(std::string_view key, std::string_view value);
  LogLine& Add(std::string_view key, int64_t value);

  // key=value pairs. Values with blanks, quotes or control characters are
  // quoted, so that whatever others answer stays on the line.
  std::string text() const;

  // The same as members of a JSON object, without its braces:
  // "event":"sent","type":"wall","bytes":51234. Bytes that are no UTF-8 become
  // U+FFFD.
  std::string json_members() const;

  // To `log`, unless it is empty.
  void To(const Log& log) const {
    if (log) log(text());
  }
  void To(const std::function<void(const LogLine&)>& log) const {
    if (log) log(*this);
  }

 private:
  struct Field {
    std::string key;
    std::string value;
    bool is_number;
  };

  std::vector<Field> fields_;
};

// Takes the line itself, for those who write it in another form.
using LineLog = std::function<void(const LogLine&)>;

}  // namespace wallprof::fleet

#endif  // WALLPROF_FLEET_LOG_LOG_LINE_H_
