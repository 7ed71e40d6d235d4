// One accepted connection: reads a request that is bounded in bytes and time,
// writes its response, and notices when the client leaves. Every wait ends at
// once when the server stops. Used by one thread.
#ifndef WALLPROF_HTTP_SOCKET_CONNECTION_H_
#define WALLPROF_HTTP_SOCKET_CONNECTION_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "http/socket/transport.h"

namespace wallprof::http {

struct ConnectionLimits {
  // For the whole request to arrive. A client that trickles its bytes holds a
  // thread no longer than this.
  absl::Duration request_timeout = absl::Seconds(10);

  // For the client to take some more of the response.
  absl::Duration send_timeout = absl::Seconds(30);

  // For all of it.
  absl::Duration response_timeout = absl::Hours(24);

  // How long, and how much of, what a client still sends after its response is
  // read. One whose large body was refused may send all of it before it looks.
  absl::Duration linger_timeout = absl::Milliseconds(500);
  size_t linger_bytes = size_t{1} << 20;

  // Request line and headers. A browser's cookies for localhost, which all of
  // its ports share, fit.
  size_t head_bytes = size_t{32} << 10;

  // With the body: 50 000 addresses to name fit, in whatever encoding.
  size_t request_bytes = size_t{1} << 20;

  // Received at a time. A page of memory: most requests fit into one. Where
  // bodies are large, more saves system calls.
  size_t receive_bytes = 4096;
};

class Connection {
 public:
  // `stop_event` is readable once the server stops.
  Connection(std::unique_ptr<Transport> transport, int stop_event,
             const ConnectionLimits& limits);

  enum class HeadResult {
    kWhole,
    kTooLarge,
    kTooLate,
    kForeign,   // begins as no request does
    kCutShort,  // the client, or the server, ended it before its end
  };

  // Reads up to and with the empty line that ends a request's head.
  HeadResult ReadHead(std::string& head);

  // Reads what follows the head: at least one byte, 0 at the end, -1 on
  // failure, which a request over its limits is too.
  ssize_t Read(char* bytes, size_t size);

  // Whether all of it was sent.
  bool Write(std::string_view bytes);

  // Whether the client closed its side. One that only will not send any more,
  // `nc -N`, looks the same and counts as gone too, as in Go's server.
  bool IsClientGone() const;

  // Ends the response. What the client still sends is read for a moment: a
  // close with bytes unread is a reset, which can take the response with it.
  void Finish();

  // The client's address; the port is 0 and the host empty where it has none,
  // as on a unix socket.
  struct Peer {
    std::string host;
    int port = 0;
  };
  Peer peer() const;

  // As the transport's.
  std::string_view problem() const { return transport_->problem(); }

 private:
  using Clock = std::chrono::steady_clock;

  // False when the deadline passes first or the server stops.
  bool WaitFor(short events, Clock::time_point deadline) const;

  // Receives what there is into the empty buffer: its count, 0 at the end, -1
  // on failure.
  ssize_t Fill(Clock::time_point deadline);

  const std::unique_ptr<Transport> transport_;
  const int stop_event_;
  const ConnectionLimits limits_;
  const Clock::time_point deadline_;                    // of the request
  std::optional<Clock::time_point> response_deadline_;  // once it began
  const std::unique_ptr<char[]> buffer_;
  std::string_view unread_;  // of what is in the buffer
  size_t received_ = 0;
};

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SOCKET_CONNECTION_H_
