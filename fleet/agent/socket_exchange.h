// Requests over plain sockets: the exchange that an agent has by default.
#ifndef WALLPROF_FLEET_AGENT_SOCKET_EXCHANGE_H_
#define WALLPROF_FLEET_AGENT_SOCKET_EXCHANGE_H_

#include "wallprof/agent.h"

namespace wallprof::agent {

// Makes `request`, on a connection of its own. Never raises SIGPIPE; ends
// within some 20 ms of being cancelled, whatever it waits for.
AgentAnswer ExchangeOverSocket(const AgentRequest& request);

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_SOCKET_EXCHANGE_H_
