// JSON as the pages write it: keys in the order given, whatever the bytes.
#ifndef WALLPROF_HTTP_PAGES_JSON_H_
#define WALLPROF_HTTP_PAGES_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

namespace wallprof::http {

using Json = nlohmann::ordered_json;

// On one line. Thread and function names come from the program and may be any
// bytes: those that are not UTF-8 become U+FFFD.
inline std::string JsonText(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_PAGES_JSON_H_
