#include "tests/fleet/transfer/raw_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace wallprof::fleet {
namespace {

constexpr int kBacklog = 128;

int ListenOnUnixSocket(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof(name.sun_path));
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  EXPECT_EQ(listen(fd, kBacklog), 0);
  return fd;
}

int ListenOnAnyPort(std::string& url) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  EXPECT_EQ(listen(fd, kBacklog), 0);
  socklen_t size = sizeof(name);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size), 0);
  url = "http://127.0.0.1:" + std::to_string(ntohs(name.sin_port));
  return fd;
}

size_t BodyBytes(const std::string& head) {
  const std::string lower = absl::AsciiStrToLower(head);
  const std::string name = "content-length:";
  const size_t at = lower.find(name);
  size_t bytes = 0;
  if (at != std::string::npos) {
    const size_t begin = at + name.size();
    EXPECT_TRUE(absl::SimpleAtoi(
        lower.substr(begin, lower.find('\r', begin) - begin), &bytes));
  }
  return bytes;
}

// False where there is none.
bool ReadRequest(int socket, RawRequest& request) {
  std::string text;
  const auto more = [&] {
    char bytes[1 << 16];
    const ssize_t count = recv(socket, bytes, sizeof(bytes), 0);
    if (count > 0) text.append(bytes, static_cast<size_t>(count));
    return count > 0;
  };
  size_t end;
  while ((end = text.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return false;
  }
  const size_t line = text.find("\r\n");
  request.line = text.substr(0, line);
  request.head = text.substr(line + 2, end - line);
  const size_t whole = end + 4 + BodyBytes(request.head);
  while (text.size() < whole) {
    if (!more()) return false;
  }
  request.body = text.substr(end + 4);
  return true;
}

}  // namespace

bool RawConnection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawConnection::AwaitEnd() {
  char byte;
  while (recv(socket_, &byte, 1, 0) > 0) {
  }
}

RawServer::RawServer(Answer answer, const std::string& unix_path)
    : answer_(std::move(answer)) {
  listener_ =
      unix_path.empty() ? ListenOnAnyPort(url_) : ListenOnUnixSocket(unix_path);
  accepting_ = std::thread([this] { Serve(); });
}

RawServer::~RawServer() {
  shutdown(listener_, SHUT_RDWR);  // ends accept
  accepting_.join();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int socket : open_) shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : conversing_) thread.join();
  close(listener_);
}

std::vector<std::string> RawServer::asked() {
  std::lock_guard lock(mutex_);
  return asked_;
}

size_t RawServer::open_connections() {
  std::lock_guard lock(mutex_);
  return open_.size();
}

void RawServer::Serve() {
  int socket;
  while ((socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
    conversing_.emplace_back([this, socket] { Converse(socket); });
  }
}

void RawServer::Converse(int socket) {
  {
    std::lock_guard lock(mutex_);
    open_.push_back(socket);
    if (stopping_) shutdown(socket, SHUT_RDWR);
  }
  RawRequest request;
  if (ReadRequest(socket, request)) {
    {
      std::lock_guard lock(mutex_);
      asked_.push_back(request.line);
    }
    RawConnection connection(socket, std::move(request));
    answer_(connection);
  }
  std::lock_guard lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), socket));
  close(socket);
}

std::string RawAnswer(const std::string& status, const std::string& body,
                      const std::string& headers) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n" + headers + "\r\n" + body;
}

}  // namespace wallprof::fleet
