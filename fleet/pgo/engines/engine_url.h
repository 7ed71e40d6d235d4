// URLs of what the components talk through:
//
//   SCHEME://HOST[:PORT][,HOST[:PORT]...]/NAME[?PARAMETER=VALUE&...]
//   SCHEME://NAME[?PARAMETER=VALUE&...]        hosts are in the environment
#ifndef WALLPROF_FLEET_PGO_ENGINES_ENGINE_URL_H_
#define WALLPROF_FLEET_PGO_ENGINES_ENGINE_URL_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace wallprof::pgo {

struct EngineUrl {
  std::string scheme;
  std::vector<std::string> hosts;  // "HOST:PORT"; none where it names none
  std::string name;
  std::map<std::string, std::string, std::less<>> parameters;

  // The value, or `otherwise` where the parameter is not given.
  std::string Parameter(std::string_view parameter,
                        std::string_view otherwise) const;
};

// InvalidArgument that names `what` ("event bus"), the URL and what of it is
// wrong; but of a URL with credentials nothing, since errors are logged.
// Parameters are those that are `known`, each at most once.
absl::StatusOr<EngineUrl> ParseEngineUrl(std::string_view url,
                                         std::string_view what,
                                         int default_port,
                                         const std::vector<std::string>& known);

// That error, for what only those who use the URL can say.
absl::Status WrongUrl(std::string_view what, std::string_view url,
                      std::string_view why);

// "HOST:PORT" of "HOST[:PORT]"; empty if it is none.
std::string WithPort(std::string_view host, int default_port);

// Of "a://b": "a"; empty where there is none.
std::string_view SchemeOf(std::string_view url);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_ENGINES_ENGINE_URL_H_
