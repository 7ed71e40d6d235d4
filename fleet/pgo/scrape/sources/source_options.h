// What sources that ask others have in common.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_SOURCE_OPTIONS_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_SOURCE_OPTIONS_H_

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "fleet/log/log_line.h"

namespace wallprof::pgo {

struct SourceOptions {
  std::string app;  // whose targets are wanted

  // The value of an environment's variable; empty where it is not set.
  std::function<std::string(const char* name)> variable;

  // One request, and all that one list takes.
  absl::Duration request_timeout = absl::Seconds(10);
  absl::Duration list_timeout = absl::Seconds(20);

  std::function<bool()> cancelled;  // may be empty

  // What wants to be scraped and cannot be. May be empty.
  fleet::LineLog warn;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_SOURCE_OPTIONS_H_
