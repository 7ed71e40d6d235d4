// What the fuzzer of requests checks.
#ifndef WALLPROF_TESTS_HTTP_REQUEST_FUZZ_H_
#define WALLPROF_TESTS_HTTP_REQUEST_FUZZ_H_

#include <string_view>

namespace wallprof::http {

// Aborts where something does not hold.
void CheckRequestBytes(std::string_view bytes);

}  // namespace wallprof::http

#endif  // WALLPROF_TESTS_HTTP_REQUEST_FUZZ_H_
