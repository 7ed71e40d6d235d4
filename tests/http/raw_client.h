// A client that sends the bytes it is told to, right or wrong.
#ifndef WALLPROF_TESTS_HTTP_RAW_CLIENT_H_
#define WALLPROF_TESTS_HTTP_RAW_CLIENT_H_

#include <string>
#include <string_view>

#include "http/socket/file_descriptor.h"

namespace wallprof::http {

class RawClient {
 public:
  // Connects to a port on 127.0.0.1, or to a unix socket.
  explicit RawClient(int port);
  explicit RawClient(const std::string& unix_path);

  // Whether all of it could be sent.
  bool Send(std::string_view bytes);

  // No more will be sent.
  void EndSending();

  // Everything up to the end of the connection.
  std::string ReceiveAll();

 private:
  FileDescriptor socket_;
};

// The response to a GET of `target`.
std::string Get(int port, std::string_view target);

// Of a response: the number in its first line (0 if there is none), and what
// follows its head.
int StatusOf(std::string_view response);
std::string BodyOf(std::string_view response);

}  // namespace wallprof::http

#endif  // WALLPROF_TESTS_HTTP_RAW_CLIENT_H_
