// The agent's requests over libcurl, which has TLS and proxies.
#ifndef WALLPROF_CLI_CURL_EXCHANGE_H_
#define WALLPROF_CLI_CURL_EXCHANGE_H_

#include <string>

#include "wallprof/agent.h"

namespace wallprof::cli {

struct CurlOptions {
  std::string unix_socket;  // to connect to instead of the URL's host; or empty
  std::string certificates;  // file of those to trust; empty: the system's
  size_t max_answer_bytes = 0;
};

// Each call is a connection of its own. Ends within 100 ms of being
// cancelled.
AgentExchange NewCurlExchange(CurlOptions options);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_CURL_EXCHANGE_H_
