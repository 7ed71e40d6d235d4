#include "examples/sleep_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\ndone\n";

void Answer(int connection, std::chrono::milliseconds delay) {
  char request[1024];
  recv(connection, request, sizeof request, 0);
  std::this_thread::sleep_for(delay);
  send(connection, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
  close(connection);
}

}  // namespace

int StartSleepServer(std::chrono::milliseconds delay) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, generic, size) != 0 ||
      listen(listener, SOMAXCONN) != 0 ||
      getsockname(listener, generic, &size) != 0) {
    std::perror("cannot listen on loopback");
    std::exit(1);
  }
  std::thread([listener, delay] {
    pthread_setname_np(pthread_self(), "sleep-server");
    for (;;) {
      const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection >= 0) Answer(connection, delay);
    }
  }).detach();
  return ntohs(address.sin_port);
}
