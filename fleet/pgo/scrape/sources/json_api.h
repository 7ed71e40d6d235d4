// Questions to an API that answers in JSON.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_SOURCES_JSON_API_H_
#define WALLPROF_FLEET_PGO_SCRAPE_SOURCES_JSON_API_H_

#include <cstdint>
#include <initializer_list>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/scrape/sources/source_options.h"
#include "fleet/transfer/transfer.h"

namespace wallprof::pgo {

using Json = nlohmann::json;

// Of a question that only asks whether there is an answer; within what those
// who probe wait.
inline constexpr absl::Duration kCheckTimeout = absl::Seconds(4);

// Until when all the questions of one list are to be answered.
class Deadline {
 public:
  explicit Deadline(absl::Duration duration);
  absl::Duration Left() const;

 private:
  const absl::Time end_;
};

// Thread-safe.
class JsonApi {
 public:
  // `url` without a slash at its end. Of `transfer` how to reach it; the rest
  // is taken from `options`.
  JsonApi(std::string url, fleet::TransferOptions transfer,
          const SourceOptions& options);

  // The answer to a GET of `path`, which has its query. NotFound for status
  // 404, OutOfRange for 410; else Unavailable: the API's own words where it has
  // any. Errors name the URL.
  absl::StatusOr<Json> Get(const std::string& path,
                           const std::map<std::string, std::string>& headers,
                           const Deadline& deadline);

 private:
  const std::string url_;
  const absl::Duration timeout_;
  fleet::Transfer transfer_;
};

// The text at the end of this way of names; empty where there is none.
std::string TextAt(const Json& json, std::initializer_list<const char*> names);

// The array or object there; an empty array where there is none.
const Json& ListAt(const Json& json, std::initializer_list<const char*> names);

// The whole number there; 0 where there is none.
int64_t NumberAt(const Json& json, const char* name);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_SOURCES_JSON_API_H_
