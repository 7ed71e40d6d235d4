// Whom a socket is connected to, from procfs's lists of sockets.
#ifndef WALLPROF_PROFILER_THREADS_SOCKET_PEER_H_
#define WALLPROF_PROFILER_THREADS_SOCKET_PEER_H_

#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace wallprof::threads {

// "tcp 127.0.0.1:5432" for a connected socket, "tcp *:80 (listening)" for one
// that listens, "unix /run/x" for a local one with a name; empty where the
// lists do not have the socket. `inode` in decimal, as in /proc/PID/fd; `root`
// is procfs of a process in the network namespace of the socket.
std::string SocketPeer(std::string_view inode, const std::string& root);

// That of every socket in the lists, by inode.
absl::flat_hash_map<std::string, std::string> SocketPeers(
    const std::string& root);

// An address as procfs writes it ("0100007F:1538", or 32 digits for IPv6) the
// usual way; empty if it is none.
std::string ReadableAddress(std::string_view text);

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_SOCKET_PEER_H_
