// Uses wallprof::http: serves its own profile.
#include <wallprof/http.h>

#include <iostream>

int main() {
  const auto server = wallprof::Serve("127.0.0.1:0");
  if (!server.ok()) {
    std::cerr << server.status() << '\n';
    return 1;
  }
  std::cout << (*server)->url() << '\n';
  return (*server)->port() > 0 ? 0 : 1;
}
