// Uses wallprof::agent: starts one whose collector is away, and stops it.
#include <wallprof/agent.h>
#include <wallprof/profiler.h>

#include <iostream>

int main() {
  const auto profiler = wallprof::Profiler::Start();
  if (!profiler.ok()) {
    std::cerr << profiler.status() << '\n';
    return 1;
  }
  wallprof::AgentOptions options;
  options.collector = "http://127.0.0.1:1";
  options.service = "consumer";
  const auto agent = wallprof::Agent::Start(options, **profiler);
  if (!agent.ok()) {
    std::cerr << agent.status() << '\n';
    return 1;
  }
  (*agent)->Stop();
  std::cout << "taken: " << (*agent)->Stats().taken << '\n';
  return 0;
}
