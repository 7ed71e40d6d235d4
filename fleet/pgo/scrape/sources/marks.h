// What the labels, annotations or tags of a program say of being scraped:
//
//   autopgo.scrape=true          it wants to be
//   autopgo.scrape.app=shop      the application that it is
//   autopgo.scrape.port=6060     where labels have no port of their own
//   autopgo.scrape.path=/debug/pprof/profile
//   autopgo.scrape.scheme=http   or https
//   autopgo.scrape.version=1.4.2
//
// wallprof.scrape... is the same, and counts before it.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_MARKS_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_MARKS_H_

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "fleet/pgo/scrape/targets.h"

namespace wallprof::pgo {

inline constexpr const char* kMarkPrefixes[] = {"wallprof.scrape",
                                                "autopgo.scrape"};

class Marks {
 public:
  // What is no mark is left out.
  void Add(const std::string& name, const std::string& value);

  // "name=value".
  void AddTag(const std::string& tag);

  // Whether it wants to be scraped as `app`.
  bool Name(const std::string& app) const;

  // The value of "autopgo.scrape.<name>"; empty where there is none.
  std::string Get(const std::string& name) const;

  // At this host, an IP address or a name. InvalidArgument saying which mark is
  // wrong and how.
  absl::StatusOr<Target> TargetAt(const std::string& host, int64_t port,
                                  const std::string& default_version) const;

 private:
  std::map<std::string, std::string> values_;
};

// Of a list of "name=value"; whatever else is in it is left out.
Marks MarksOfTags(const nlohmann::json& tags);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_MARKS_H_
