// A service with an HTTP server of its own, and the profiler mounted on it:
//
//   mount [PORT]
//   curl 'localhost:8080/profiler/?seconds=10'
#include <httplib.h>
#include <wallprof/http.h>
#include <wallprof/httplib_mount.h>
#include <wallprof/profiler.h>

#include <iostream>
#include <memory>
#include <string>

int main(int argc, char** argv) {
  auto profiler = wallprof::Profiler::Start();
  if (!profiler.ok()) {
    std::cerr << profiler.status() << '\n';
    return 1;
  }
  const std::unique_ptr<wallprof::ProfileSource> source =
      wallprof::SourceOf(**profiler);
  // A measurement holds a thread of the server; some are left for the service.
  wallprof::HttpOptions options;
  options.max_measurements = 4;
  wallprof::HttpHandler handler(*source, options);

  httplib::Server server;
  server.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("the service\n", "text/plain");
  });
  wallprof::Mount(server, handler, "/profiler");

  int port = argc > 1 ? std::stoi(argv[1]) : 8080;
  if (port == 0) {
    port = server.bind_to_any_port("127.0.0.1");
  } else if (!server.bind_to_port("127.0.0.1", port)) {
    port = -1;
  }
  if (port < 0) {
    std::cerr << "cannot listen on 127.0.0.1:" << argv[1] << '\n';
    return 1;
  }
  std::cout << "serving http://127.0.0.1:" << port << "/" << std::endl;
  return server.listen_after_bind() ? 0 : 1;
}
