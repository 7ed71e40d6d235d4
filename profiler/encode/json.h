// JSON as formats write it: keys in the order given, whatever the bytes.
#ifndef WALLPROF_PROFILER_ENCODE_JSON_H_
#define WALLPROF_PROFILER_ENCODE_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

namespace wallprof {

using Json = nlohmann::ordered_json;

// On one line. Names come from programs and may be any bytes: those that are
// not UTF-8 become U+FFFD.
inline std::string JsonText(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_JSON_H_
