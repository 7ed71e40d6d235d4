// How a connection's bytes move: as they are, or encrypted by one who knows how
// to. Never waits; the connection waits for what an attempt says it lacks. Used
// by one thread.
#ifndef WALLPROF_HTTP_SOCKET_TRANSPORT_H_
#define WALLPROF_HTTP_SOCKET_TRANSPORT_H_

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "http/socket/file_descriptor.h"

namespace wallprof::http {

class Transport {
 public:
  // What an attempt came to.
  struct Outcome {
    // Bytes moved. Of Receive, 0 is the end of what the client sends. -1: none
    // were moved.
    ssize_t count = -1;
    // Of -1: what poll() should wait for before the next attempt, POLLIN or
    // POLLOUT; 0: it failed for good.
    short wait_for = 0;
  };

  virtual ~Transport() = default;

  virtual Outcome Receive(char* bytes, size_t size) = 0;

  // An attempt that moved nothing is made again with the same bytes.
  virtual Outcome Send(std::string_view bytes) = 0;

  // Tells the client that nothing more comes.
  virtual void EndSending() = 0;

  // To poll.
  virtual int descriptor() const = 0;

  // A sentence for a client that was not understood at all; empty: no more is
  // known than that it failed.
  virtual std::string_view problem() const { return {}; }
};

// Takes an accepted, non-blocking socket.
using NewTransport = std::function<std::unique_ptr<Transport>(FileDescriptor)>;

// Bytes as they are.
std::unique_ptr<Transport> NewPlainTransport(FileDescriptor socket);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SOCKET_TRANSPORT_H_
