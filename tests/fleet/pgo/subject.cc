// A program that is built with its own profiles: works a tenth of the time and
// serves them until its standard input ends. Each VERSION has a build id of its
// own, and a function by which it is known.
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <thread>

#include "wallprof/http.h"

namespace {

constexpr auto kWork = std::chrono::milliseconds(5);
constexpr auto kRest = std::chrono::milliseconds(45);

// So that the loops are not optimized away.
volatile unsigned sink = 0;

[[gnu::noinline]] void Spin(std::chrono::nanoseconds duration) {
  const auto end = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < end) sink = sink + 1;
}

#if VERSION == 1
[[gnu::noinline]] void OldWay() {
  Spin(kWork);
  sink = sink + 1;
}
#else
[[gnu::noinline]] void NewWay() {
  Spin(kWork);
  sink = sink + 2;
}
#endif

void Work() {
  for (;;) {
#if VERSION == 1
    OldWay();
#else
    NewWay();
#endif
    std::this_thread::sleep_for(kRest);
  }
}

}  // namespace

int main() {
  const auto server = wallprof::Serve("127.0.0.1:0");
  if (!server.ok()) {
    std::cerr << server.status() << std::endl;
    return 1;
  }
  std::cout << (*server)->url() << std::endl;
  std::thread(Work).detach();
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  _exit(0);
}
