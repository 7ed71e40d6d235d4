// The parts of a collector's address.
#ifndef WALLPROF_FLEET_AGENT_URL_H_
#define WALLPROF_FLEET_AGENT_URL_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wallprof::agent {

struct Url {
  std::string scheme;     // http or https
  std::string host;       // without the brackets of an IPv6 address
  std::string port;       // digits; the scheme's own if none was given
  std::string target;     // path and query, from '/' on
  std::string authority;  // host and port as written, for the Host header
};

// "http://HOST[:PORT][/PATH]". InvalidArgument saying what is wrong: another
// scheme, no host, a user or a password, a fragment, blanks.
absl::StatusOr<Url> ParseUrl(std::string_view text);

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_URL_H_
