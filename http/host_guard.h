// Who a request believes to be talking to.
//
// A web page can point a name of its own at 127.0.0.1 and then read what is
// served there (DNS rebinding). Its requests carry that name in their Host
// header, which is why only names that cannot be such are answered.
#ifndef WALLPROF_HTTP_HOST_GUARD_H_
#define WALLPROF_HTTP_HOST_GUARD_H_

#include <string>
#include <string_view>
#include <vector>

namespace wallprof::http {

// Whether `host`, the value of a Host header with or without a port, is an IP
// address, localhost or one of `allowed_names`, whatever its case.
bool IsAllowedHost(std::string_view host,
                   const std::vector<std::string>& allowed_names);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_HOST_GUARD_H_
