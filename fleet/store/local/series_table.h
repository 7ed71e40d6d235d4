// All series of a local index, in memory: there are far fewer of them than of
// profiles, and selectors are matched with each.
#ifndef WALLPROF_FLEET_STORE_LOCAL_SERIES_TABLE_H_
#define WALLPROF_FLEET_STORE_LOCAL_SERIES_TABLE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fleet/store/profile_info.h"
#include "fleet/store/selector.h"

namespace wallprof::store::local {

// Labels as text of one meaning, and back.
std::string PackLabels(const Labels& labels);
Labels UnpackLabels(std::string_view packed);

// Thread-safe.
class SeriesTable {
 public:
  // Keys of the index: of a series, and of its service.
  struct Row {
    int64_t key = 0;
    int64_t service = 0;
    std::shared_ptr<const Series> series;
  };

  // The series of one service that match, by their keys.
  struct Matched {
    int64_t service = 0;
    size_t all = 0;  // how many series the service has
    std::unordered_map<int64_t, std::shared_ptr<const Series>> series;
  };

  void Insert(Row row);
  void Erase(const Series& series);

  std::optional<Row> Find(const Series& series) const;
  std::vector<Matched> Match(const Selector& selector) const;
  int64_t size() const;

 private:
  struct Service {
    int64_t key = 0;
    std::map<Series, Row> series;
  };

  static void MatchOne(const Service& service, const Selector& selector,
                       std::vector<Matched>& matched);

  mutable std::shared_mutex mutex_;
  std::map<std::string, Service> services_;
  int64_t size_ = 0;
};

}  // namespace wallprof::store::local

#endif  // WALLPROF_FLEET_STORE_LOCAL_SERIES_TABLE_H_
