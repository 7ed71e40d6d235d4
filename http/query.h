// The parameters of a request's target.
//
// Each is taken by the one who knows it; what nobody took is an error, so that
// nothing a client asks for is silently ignored.
#ifndef WALLPROF_HTTP_QUERY_H_
#define WALLPROF_HTTP_QUERY_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace wallprof::http {

class Query {
 public:
  // Reads "a=1&b=2", percent-encoded. InvalidArgument naming the parameter
  // that is repeated or malformed. `debug` and `gc`, which Go's tools send, are
  // dropped.
  static absl::StatusOr<Query> Parse(std::string_view text);

  bool empty() const { return parameters_.empty(); }

  // Removes and returns a parameter's value; nullopt if it is not there.
  std::optional<std::string> Take(std::string_view name);

  // OkStatus once every parameter has been taken; otherwise InvalidArgument
  // naming the first that has not.
  absl::Status CheckAllTaken() const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

// `text` in quotes for an error message: escaped, and cut where it is long.
std::string Quoted(std::string_view text);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_QUERY_H_
