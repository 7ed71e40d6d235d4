#include "tests/cli/canned_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace wallprof::cli {
namespace {

constexpr int kBacklog = 8;

int ListenOnUnixSocket(const std::string& path) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof(name.sun_path));
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  EXPECT_EQ(listen(fd, kBacklog), 0);
  return fd;
}

int ListenOnAnyPort(int& port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  EXPECT_EQ(listen(fd, kBacklog), 0);
  socklen_t size = sizeof(name);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size), 0);
  port = ntohs(name.sin_port);
  return fd;
}

// Up to the empty line that ends a request without a body.
std::string ReadRequest(int connection) {
  std::string request;
  char c;
  while (request.find("\r\n\r\n") == std::string::npos &&
         read(connection, &c, 1) == 1) {
    request += c;
  }
  return request;
}

}  // namespace

CannedServer::CannedServer(std::string answer, const std::string& unix_path)
    : answer_(std::move(answer)) {
  if (unix_path.empty()) {
    int port = 0;
    listener_ = ListenOnAnyPort(port);
    address_ = "127.0.0.1:" + std::to_string(port);
  } else {
    listener_ = ListenOnUnixSocket(unix_path);
    address_ = "unix:" + unix_path;
  }
  thread_ = std::thread([this] { Serve(); });
}

CannedServer::~CannedServer() {
  shutdown(listener_, SHUT_RDWR);  // ends accept
  thread_.join();
  close(listener_);
}

std::vector<std::string> CannedServer::requests() {
  std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

void CannedServer::Serve() {
  int connection;
  while ((connection = accept(listener_, nullptr, nullptr)) >= 0) {
    std::string request = ReadRequest(connection);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      requests_.push_back(request.substr(0, request.find("\r\n")));
    }
    send(connection, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    close(connection);
  }
}

std::string HttpAnswer(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

}  // namespace wallprof::cli
