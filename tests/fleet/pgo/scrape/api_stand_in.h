// An API that answers with recorded answers.
#ifndef WALLPROF_TESTS_FLEET_PGO_SCRAPE_API_STAND_IN_H_
#define WALLPROF_TESTS_FLEET_PGO_SCRAPE_API_STAND_IN_H_

#include <algorithm>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fleet/pgo/scrape/sources/source_options.h"
#include "fleet/pgo/scrape/targets.h"
#include "tests/fleet/transfer/raw_server.h"

namespace wallprof::pgo {

// The text of answers/<name>.json.
inline std::string Recorded(const std::string& name) {
  std::ifstream file(std::string(WALLPROF_ANSWERS) + "/" + name + ".json");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class ApiStandIn {
 public:
  ApiStandIn()
      : server_(
            [this](fleet::RawConnection& connection) { Answer(connection); }) {}

  const std::string& url() const { return server_.url(); }

  // Requests whose line has `part` are answered so; those that were said last
  // count first. What nobody said is 404.
  void Say(const std::string& part, const std::string& status,
           const std::string& body) {
    std::lock_guard lock(mutex_);
    said_.emplace(said_.begin(), part, fleet::RawAnswer(status, body));
  }
  void Say(const std::string& part, const std::string& recorded) {
    Say(part, "200 OK", Recorded(recorded));
  }

  // Half of the answer to it is all that comes, or nothing for long.
  void SayHalf(const std::string& part, const std::string& recorded) {
    const std::string whole = fleet::RawAnswer("200 OK", Recorded(recorded));
    std::lock_guard lock(mutex_);
    said_.emplace(said_.begin(), part, whole.substr(0, whole.size() / 2));
  }
  void SayNothing(const std::string& part) {
    std::lock_guard lock(mutex_);
    said_.emplace(said_.begin(), part, "");
  }

  // Lines of requests so far, and the headers of the last one.
  std::vector<std::string> asked() { return server_.asked(); }
  std::string head() {
    std::lock_guard lock(mutex_);
    return head_;
  }

 private:
  void Answer(fleet::RawConnection& connection) {
    std::string answer = fleet::RawAnswer("404 Not Found", "no such page");
    {
      std::lock_guard lock(mutex_);
      head_ = connection.request().head;
      for (const auto& [part, said] : said_) {
        if (connection.request().line.find(part) == std::string::npos) continue;
        answer = said;
        break;
      }
    }
    if (answer.empty()) return connection.AwaitEnd();
    connection.Send(answer);
  }

  std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> said_;
  std::string head_;
  fleet::RawServer server_;
};

// Places and versions of targets, a line each; or why there are none.
inline std::string ListText(TargetSource& source) {
  const auto targets = source.List();
  if (!targets.ok()) return std::string(targets.status().message());
  std::string text;
  for (const Target& target : *targets) {
    text += target.address + target.path + " " + target.version + "\n";
  }
  return text;
}

// How many lines have this in them.
inline int64_t CountWith(const std::vector<std::string>& lines,
                         const std::string& part) {
  return std::count_if(lines.begin(), lines.end(), [&](const auto& line) {
    return line.find(part) != std::string::npos;
  });
}

}  // namespace wallprof::pgo

#endif  // WALLPROF_TESTS_FLEET_PGO_SCRAPE_API_STAND_IN_H_
