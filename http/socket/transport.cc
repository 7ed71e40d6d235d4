#include "http/socket/transport.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace wallprof::http {

namespace {

class PlainTransport : public Transport {
 public:
  explicit PlainTransport(FileDescriptor socket) : socket_(std::move(socket)) {}

  Outcome Receive(char* bytes, size_t size) override {
    ssize_t count;
    do {
      count = recv(socket_.number(), bytes, size, 0);
    } while (count < 0 && errno == EINTR);
    return OutcomeOf(count, POLLIN);
  }

  Outcome Send(std::string_view bytes) override {
    ssize_t count;
    do {
      count = send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    return OutcomeOf(count, POLLOUT);
  }

  void EndSending() override { shutdown(socket_.number(), SHUT_WR); }

  int descriptor() const override { return socket_.number(); }

 private:
  static Outcome OutcomeOf(ssize_t count, short wait_for) {
    if (count >= 0) return {count, 0};
    return {-1, errno == EAGAIN ? wait_for : short{0}};
  }

  FileDescriptor socket_;
};

}  // namespace

std::unique_ptr<Transport> NewPlainTransport(FileDescriptor socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

}  // namespace wallprof::http
