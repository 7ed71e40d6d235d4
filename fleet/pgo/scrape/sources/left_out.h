// Programs that want to be scraped and cannot be, told once.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_LEFT_OUT_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_LEFT_OUT_H_

#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "fleet/log/log_line.h"

namespace wallprof::pgo {

// Not thread-safe.
class LeftOut {
 public:
  explicit LeftOut(fleet::LineLog log) : log_(std::move(log)) {}

  // Tells it, unless the list before had the same.
  void Add(const std::string& who, const absl::Status& why) {
    const std::string reason(why.message());
    if (!now_.emplace(who, reason).second || before_.count({who, reason}) > 0) {
      return;
    }
    fleet::LogLine("left_out").Add("who", who).Add("why", reason).To(log_);
  }

  // The list is whole.
  void End() {
    before_.swap(now_);
    now_.clear();
  }

 private:
  using Said = std::set<std::pair<std::string, std::string>>;

  const fleet::LineLog log_;
  Said before_;
  Said now_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_LEFT_OUT_H_
