#include "tests/http/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>

namespace wallprof::http {

RawClient::RawClient(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_.number(), reinterpret_cast<sockaddr*>(&address),
              sizeof(address)) != 0) {
    socket_ = FileDescriptor();
  }
}

RawClient::RawClient(const std::string& unix_path)
    : socket_(socket(AF_UNIX, SOCK_STREAM, 0)) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  unix_path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (connect(socket_.number(), reinterpret_cast<sockaddr*>(&address),
              sizeof(address)) != 0) {
    socket_ = FileDescriptor();
  }
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count =
        send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

void RawClient::EndSending() { shutdown(socket_.number(), SHUT_WR); }

std::string RawClient::ReceiveAll() {
  std::string bytes;
  char chunk[4096];
  for (;;) {
    ssize_t count = recv(socket_.number(), chunk, sizeof(chunk), 0);
    if (count <= 0) return bytes;
    bytes.append(chunk, static_cast<size_t>(count));
  }
}

std::string Get(int port, std::string_view target) {
  RawClient client(port);
  client.Send("GET " + std::string(target) +
              " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return client.ReceiveAll();
}

int StatusOf(std::string_view response) {
  if (response.substr(0, 9) != "HTTP/1.1 ") return 0;
  return std::atoi(std::string(response.substr(9, 3)).c_str());
}

std::string BodyOf(std::string_view response) {
  size_t end = response.find("\r\n\r\n");
  if (end == std::string_view::npos) return "";
  return std::string(response.substr(end + 4));
}

}  // namespace wallprof::http
