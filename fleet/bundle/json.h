// JSON as wallprof writes it: keys in the order given, whatever the bytes.
#ifndef WALLPROF_FLEET_BUNDLE_JSON_H_
#define WALLPROF_FLEET_BUNDLE_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

namespace wallprof::bundle {

using Json = nlohmann::ordered_json;

// On one line. Names come from the program and may be any bytes: those that are
// not UTF-8 become U+FFFD.
inline std::string JsonText(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace wallprof::bundle

#endif  // WALLPROF_FLEET_BUNDLE_JSON_H_
