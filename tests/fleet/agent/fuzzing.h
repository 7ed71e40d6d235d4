// What the fuzzers of this room check.
#ifndef WALLPROF_TESTS_FLEET_AGENT_FUZZING_H_
#define WALLPROF_TESTS_FLEET_AGENT_FUZZING_H_

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace wallprof::agent {

inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

void CheckLabelBytes(std::string_view bytes);
void CheckParcelBytes(std::string_view bytes);
void CheckAnswerBytes(std::string_view bytes);

}  // namespace wallprof::agent

#endif  // WALLPROF_TESTS_FLEET_AGENT_FUZZING_H_
