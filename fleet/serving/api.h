// What a daemon serves: the part that is its own. What every daemon needs
// around it is in front.h.
#ifndef WALLPROF_FLEET_SERVING_API_H_
#define WALLPROF_FLEET_SERVING_API_H_

#include <string_view>

#include "fleet/serving/tokens.h"
#include "http/response.h"
#include "wallprof/http.h"

namespace wallprof::serving {

struct Route {
  // For metrics and the log: the path with its ids collapsed, as
  // "/api/0/profiles/<id>". One of few, never made of what a client sends.
  std::string_view name;

  // What a client's token must allow before anything else is looked at.
  Scope scope = Scope::kAdmin;
};

// Thread-safe.
class Api {
 public:
  virtual ~Api() = default;

  // Where a request goes. `path` is the target's without its query, percent-
  // encoded as it came. Paths that there are not have a route as well, which
  // Handle() answers 404.
  virtual Route RouteOf(std::string_view method,
                        std::string_view path) const = 0;

  // The response; may take long and look at request.client_gone meanwhile. What
  // it throws is answered 500 and told.
  virtual HttpResponse Handle(const HttpRequest& request) = 0;

  // How those who ask `path` are told `sentence`, where the request never comes
  // to Handle(): 401, 403, 413 and 500.
  virtual HttpResponse Refusal(std::string_view path, int status,
                               std::string_view sentence) const {
    (void)path;
    return http::Failure(status, sentence);
  }
};

}  // namespace wallprof::serving

#endif  // WALLPROF_FLEET_SERVING_API_H_
