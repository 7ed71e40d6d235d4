// The servers that engines_test.py has started.
#ifndef WALLPROF_TESTS_FLEET_PGO_ENGINES_ENGINE_SERVERS_H_
#define WALLPROF_TESTS_FLEET_PGO_ENGINES_ENGINE_SERVERS_H_

#include <string>

namespace wallprof::pgo {

// What is nobody else's: of this process, and its count.
std::string FreshName();

// Of the environment; fails the test where it is not there.
std::string TestVariable(const char* name);

// "HOST:PORT".
std::string NatsHost();

// NATS ends without a word, and is started again at once.
void KillNats();

// NATS is away while there is one.
class NatsAway {
 public:
  NatsAway();
  ~NatsAway();
};

// NATS takes what comes and answers nothing while there is one.
class NatsStandsStill {
 public:
  NatsStandsStill();
  ~NatsStandsStill();
};

// The URL of an empty schema of PostgreSQL.
std::string FreshPostgresUrl();

// What `script` does there.
void RunInPostgres(const std::string& url, const std::string& script);

// PostgreSQL ends without a word, and is started again at once.
void KillPostgres();

}  // namespace wallprof::pgo

#endif  // WALLPROF_TESTS_FLEET_PGO_ENGINES_ENGINE_SERVERS_H_
