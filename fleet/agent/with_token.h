// Requests by which a collector knows who sends.
#ifndef WALLPROF_FLEET_AGENT_WITH_TOKEN_H_
#define WALLPROF_FLEET_AGENT_WITH_TOKEN_H_

#include <functional>
#include <string>
#include <utility>

#include "wallprof/agent.h"

namespace wallprof::agent {

// `exchange` with each request carrying the bearer token that `token` gives
// then; none where that is empty.
inline AgentExchange WithToken(AgentExchange exchange,
                               std::function<std::string()> token) {
  return [exchange = std::move(exchange),
          token = std::move(token)](const AgentRequest& request) {
    const std::string value = token();
    if (value.empty()) return exchange(request);
    AgentRequest known = request;
    known.headers["Authorization"] = "Bearer " + value;
    return exchange(known);
  };
}

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_WITH_TOKEN_H_
