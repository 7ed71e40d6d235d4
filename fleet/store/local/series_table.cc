#include "fleet/store/local/series_table.h"

#include <cstring>
#include <mutex>
#include <utility>

namespace wallprof::store::local {
namespace {

void PackText(std::string& to, std::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  to.append(reinterpret_cast<const char*>(&size), sizeof(size));
  to += text;
}

std::string UnpackText(std::string_view& from) {
  uint32_t size = 0;
  if (from.size() < sizeof(size)) return "";
  std::memcpy(&size, from.data(), sizeof(size));
  from.remove_prefix(sizeof(size));
  std::string text(from.substr(0, size));
  from.remove_prefix(text.size());
  return text;
}

}  // namespace

std::string PackLabels(const Labels& labels) {
  std::string packed;
  for (const auto& [key, value] : labels) {
    PackText(packed, key);
    PackText(packed, value);
  }
  return packed;
}

Labels UnpackLabels(std::string_view packed) {
  Labels labels;
  while (!packed.empty()) {
    std::string key = UnpackText(packed);
    std::string value = UnpackText(packed);
    labels.emplace_back(std::move(key), std::move(value));
  }
  return labels;
}

void SeriesTable::Insert(Row row) {
  const std::unique_lock lock(mutex_);
  Service& service = services_[row.series->service];
  service.key = row.service;
  const Series& series = *row.series;
  if (service.series.emplace(series, std::move(row)).second) ++size_;
}

void SeriesTable::Erase(const Series& series) {
  const std::unique_lock lock(mutex_);
  const auto service = services_.find(series.service);
  if (service == services_.end()) return;
  size_ -= static_cast<int64_t>(service->second.series.erase(series));
  if (service->second.series.empty()) services_.erase(service);
}

std::optional<SeriesTable::Row> SeriesTable::Find(const Series& series) const {
  const std::shared_lock lock(mutex_);
  const auto service = services_.find(series.service);
  if (service == services_.end()) return std::nullopt;
  const auto row = service->second.series.find(series);
  if (row == service->second.series.end()) return std::nullopt;
  return row->second;
}

void SeriesTable::MatchOne(const Service& service, const Selector& selector,
                           std::vector<Matched>& matched) {
  Matched found;
  found.service = service.key;
  found.all = service.series.size();
  for (const auto& [series, row] : service.series) {
    if (selector.Matches(series)) found.series.emplace(row.key, row.series);
  }
  if (!found.series.empty()) matched.push_back(std::move(found));
}

std::vector<SeriesTable::Matched> SeriesTable::Match(
    const Selector& selector) const {
  std::vector<Matched> matched;
  const std::optional<std::string> name = selector.ValueOf("service");
  const std::shared_lock lock(mutex_);
  if (name.has_value()) {
    const auto service = services_.find(*name);
    if (service != services_.end())
      MatchOne(service->second, selector, matched);
    return matched;
  }
  for (const auto& [_, service] : services_) {
    MatchOne(service, selector, matched);
  }
  return matched;
}

int64_t SeriesTable::size() const {
  const std::shared_lock lock(mutex_);
  return size_;
}

}  // namespace wallprof::store::local
