// Names of single requests, by which the lines of several programs' logs are
// found together.
#ifndef WALLPROF_FLEET_SERVING_REQUEST_ID_H_
#define WALLPROF_FLEET_SERVING_REQUEST_ID_H_

#include <string>
#include <string_view>

namespace wallprof::serving {

// Whether a client's X-Request-Id can be taken over: at most 128 letters,
// digits and -._:/+=@, so that it is harmless in headers, logs and pages.
bool IsRequestId(std::string_view text);

// 128 random bits in hexadecimal digits. Thread-safe.
std::string NewRequestId();

}  // namespace wallprof::serving

#endif  // WALLPROF_FLEET_SERVING_REQUEST_ID_H_
