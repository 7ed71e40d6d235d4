// The least that a program does to be profiled:
//
//   minimal [PORT]
//   curl 'localhost:6060/?seconds=10'
#include <unistd.h>
#include <wallprof/http.h>
#include <wallprof/profiler.h>

#include <iostream>
#include <string>

int main(int argc, char** argv) {
  const std::string port = argc > 1 ? argv[1] : "6060";
  auto profiler = wallprof::Profiler::Start();
  if (!profiler.ok()) {
    std::cerr << profiler.status() << '\n';
    return 1;
  }
  auto server = wallprof::Serve("127.0.0.1:" + port, **profiler);
  if (!server.ok()) {
    std::cerr << server.status() << '\n';
    return 1;
  }
  std::cout << "serving " << (*server)->url() << std::endl;
  for (;;) sleep(1);  // the program's own work
}
