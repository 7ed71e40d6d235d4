// Where to fetch a profile from, made of what the user wrote.
#ifndef WALLPROF_CLI_FETCH_URL_H_
#define WALLPROF_CLI_FETCH_URL_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace wallprof::cli {

struct FetchUrl {
  std::string url;
  std::string unix_socket;  // to connect to instead of the URL's host; or empty
};

// A parameter of the request, e.g. {"seconds", "10"}.
struct Parameter {
  std::string name;
  std::string value;
  bool is_default = false;  // gives way to what the URL says
};

// `address` is HOST:PORT, PORT, :PORT (both of this machine), unix:/path or a
// URL of HTTP. InvalidArgument if it is none, or if a parameter that is no
// default is in the URL already.
absl::StatusOr<FetchUrl> MakeFetchUrl(const std::string& address,
                                      const std::vector<Parameter>& parameters);

// The value of a URL's parameter; empty without it.
std::string ParameterOf(const std::string& url, const std::string& name);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_FETCH_URL_H_
