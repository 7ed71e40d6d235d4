// Ids that were dealt with lately.
#ifndef WALLPROF_FLEET_PGO_BASE_RECENT_IDS_H_
#define WALLPROF_FLEET_PGO_BASE_RECENT_IDS_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>

namespace wallprof::pgo {

// Remembers the last hundred thousand or so. For one thread.
class RecentIds {
 public:
  using Id = std::pair<std::string, int64_t>;  // of an application

  void Add(Id id) {
    if (latest_.size() >= kHalf) {
      before_ = std::move(latest_);
      latest_.clear();
    }
    latest_.insert(std::move(id));
  }

  bool Has(const Id& id) const {
    return latest_.count(id) != 0 || before_.count(id) != 0;
  }

  // Whether it was there.
  bool Remove(const Id& id) {
    return latest_.erase(id) + before_.erase(id) != 0;
  }

 private:
  static constexpr size_t kHalf = 65536;

  std::set<Id> latest_;
  std::set<Id> before_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_BASE_RECENT_IDS_H_
