// URLs of HTTP, as libcurl reads them. Plain functions.
#ifndef WALLPROF_FLEET_TRANSFER_URL_H_
#define WALLPROF_FLEET_TRANSFER_URL_H_

#include <string>

#include "absl/status/status.h"

namespace wallprof::fleet {

// InvalidArgument, what is wrong, unless `url` is one with scheme (http or
// https) and host.
absl::Status CheckUrl(const std::string& url);

// Whether it is of this machine, whose addresses no proxy of the environment
// can reach.
bool IsLoopback(const std::string& url);

// With the parameter in its query, in place of those of this name; what else is
// there stays as it is. The fragment goes. `url` is one that CheckUrl() takes.
std::string WithParameter(const std::string& url, const std::string& name,
                          const std::string& value);

// As it can stand in a query: what is not a letter, a digit or one of -._~
// becomes %XX.
std::string Escaped(const std::string& text);

// Without a user's name and password, to be shown.
std::string WithoutUser(const std::string& url);

}  // namespace wallprof::fleet

#endif  // WALLPROF_FLEET_TRANSFER_URL_H_
