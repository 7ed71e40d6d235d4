#include "fleet/collector/entry_json.h"

namespace wallprof::collector {
namespace {

void AddSeries(const store::Series& series, Json& json) {
  json["type"] = series.type;
  json["service"] = series.service;
  if (series.labels.empty()) return;
  Json labels = Json::array();
  for (const auto& [key, value] : series.labels) {
    labels.push_back({{"key", key}, {"value", value}});
  }
  json["labels"] = std::move(labels);
}

}  // namespace

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

Json JsonOf(const store::ProfileInfo& info) {
  Json json;
  json["id"] = info.id;
  AddSeries(info.series, json);
  json["created_at"] = TimeText(info.created_at);
  return json;
}

Json JsonOf(const store::Series& series) {
  Json json;
  AddSeries(series, json);
  return json;
}

}  // namespace wallprof::collector
