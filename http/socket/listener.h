// A listening socket. Closed on exec, never shared with another process
// (SO_REUSEPORT would let two serve the same port without a word).
#ifndef WALLPROF_HTTP_SOCKET_LISTENER_H_
#define WALLPROF_HTTP_SOCKET_LISTENER_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "http/socket/address.h"
#include "http/socket/file_descriptor.h"

namespace wallprof::http {

class Listener {
 public:
  // AlreadyExists if something listens there; the system's error otherwise. A
  // unix socket left behind by a process that is gone is replaced.
  static absl::StatusOr<Listener> Open(const Address& address);

  Listener(Listener&&) = default;

  // Removes a unix socket's file if it is still the one that was made.
  ~Listener();

  int descriptor() const { return socket_.number(); }

  // As bound: with the port that was picked for port 0.
  const Address& address() const { return address_; }

  // The next connection: non-blocking, closed on exec. Not open, with errno
  // set, if there is none.
  FileDescriptor Accept() const;

 private:
  Listener() = default;

  FileDescriptor socket_;
  Address address_;
  dev_t device_ = 0;  // of a unix socket's file
  ino_t inode_ = 0;
};

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SOCKET_LISTENER_H_
