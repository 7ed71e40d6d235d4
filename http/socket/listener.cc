#include "http/socket/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace wallprof::http {

namespace {

// Connections that the kernel holds while the accept loop is busy starting a
// thread; a burst of a fleet's scrapers fits.
constexpr int kBacklog = 128;

absl::Status SystemError(const Address& address, int error) {
  return absl::ErrnoToStatus(error,
                             absl::StrCat("Cannot listen on ", address.text));
}

absl::Status InUse(const Address& address) {
  return absl::AlreadyExistsError(
      absl::StrCat("Cannot listen on ", address.text, ": it is in use."));
}

FileDescriptor OpenSocket(int family) {
  return FileDescriptor(
      socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// Whether a process listens on the unix socket.
bool IsAnswered(const Address& address) {
  FileDescriptor probe = OpenSocket(AF_UNIX);
  // EAGAIN: its backlog is full, so somebody is there.
  return connect(probe.number(), address.get(), address.length) == 0 ||
         errno == EAGAIN;
}

// Makes room at a unix socket's path. Only a socket is ever removed: a path
// mistyped must not cost the user a file.
absl::Status RemoveStale(const Address& address) {
  struct stat found;
  if (lstat(address.unix_path.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISSOCK(found.st_mode)) {
    return absl::AlreadyExistsError(absl::StrCat(
        "Cannot listen on ", address.text, ": the file is no socket."));
  }
  if (IsAnswered(address)) return InUse(address);
  if (unlink(address.unix_path.c_str()) != 0 && errno != ENOENT) {
    return SystemError(address, errno);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Listener> Listener::Open(const Address& address) {
  Listener listener;
  listener.socket_ = OpenSocket(address.family());
  if (!listener.socket_.is_open()) return SystemError(address, errno);
  if (address.family() == AF_UNIX) {
    if (absl::Status s = RemoveStale(address); !s.ok()) return s;
  } else {
    // Without it a port stays taken for a minute after its server ended.
    int on = 1;
    setsockopt(listener.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on,
               sizeof(on));
  }
  if (bind(listener.descriptor(), address.get(), address.length) != 0) {
    return errno == EADDRINUSE ? InUse(address) : SystemError(address, errno);
  }
  listener.address_ = address;
  struct stat made;
  if (address.family() == AF_UNIX) {
    if (lstat(address.unix_path.c_str(), &made) == 0) {
      listener.device_ = made.st_dev;
      listener.inode_ = made.st_ino;
    }
  } else {
    getsockname(listener.descriptor(),
                reinterpret_cast<sockaddr*>(&listener.address_.bytes),
                &listener.address_.length);
  }
  // Two may bind with SO_REUSEADDR; only one may listen.
  if (listen(listener.descriptor(), kBacklog) != 0) {
    return errno == EADDRINUSE ? InUse(address) : SystemError(address, errno);
  }
  return listener;
}

Listener::~Listener() {
  struct stat found;
  if (socket_.is_open() && address_.family() == AF_UNIX &&
      lstat(address_.unix_path.c_str(), &found) == 0 &&
      found.st_dev == device_ && found.st_ino == inode_) {
    unlink(address_.unix_path.c_str());
  }
}

FileDescriptor Listener::Accept() const {
  FileDescriptor connection(
      accept4(descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (connection.is_open() && address_.family() != AF_UNIX) {
    // Head and body are sent one after the other; with Nagle's algorithm the
    // body would wait for the client's delayed acknowledgement.
    int on = 1;
    setsockopt(connection.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  return connection;
}

}  // namespace wallprof::http
