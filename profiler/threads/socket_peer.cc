#include "profiler/threads/socket_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace wallprof::threads {
namespace {

constexpr const char* kInternetLists[] = {"tcp", "tcp6", "udp", "udp6"};

// Columns of those lists (proc(5)): number, local address, remote address,
// state, three more, the user, a timeout, inode.
constexpr size_t kLocal = 1;
constexpr size_t kRemote = 2;
constexpr size_t kState = 3;
constexpr size_t kInode = 9;
constexpr absl::string_view kListening = "0A";

// Of the list of unix sockets.
constexpr size_t kUnixInode = 6;
constexpr size_t kUnixPath = 7;

template <typename Number>
bool ParseHex(std::string_view text, Number& number) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return error == std::errc() && end == text.data() + text.size();
}

// Calls `use` with the words of each line; true ends it.
template <typename Use>
void ForEachLine(const std::string& path, Use use) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words =
        absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (use(words)) return;
  }
}

// The list's name without what tells the address family.
absl::string_view Protocol(absl::string_view list) { return list.substr(0, 3); }

using Words = std::vector<std::string>;

std::string InternetPeer(const char* list, const Words& words) {
  const bool listens = words[kState] == kListening;
  return absl::StrCat(Protocol(list), " ",
                      ReadableAddress(words[listens ? kLocal : kRemote]),
                      listens ? " (listening)" : "");
}

std::string UnixPeer(const Words& words) {
  return words.size() > kUnixPath ? absl::StrCat("unix ", words[kUnixPath])
                                  : "unix";
}

// Calls `use` with the inode of each socket, and with what makes its peer's
// text; true ends it.
template <typename Use>
void ForEachSocket(const std::string& root, Use use) {
  bool ended = false;
  for (const char* list : kInternetLists) {
    ForEachLine(absl::StrCat(root, "/net/", list), [&](const Words& words) {
      ended = words.size() > kInode &&
              use(words[kInode], [&] { return InternetPeer(list, words); });
      return ended;
    });
    if (ended) return;
  }
  ForEachLine(absl::StrCat(root, "/net/unix"), [&](const Words& words) {
    return words.size() > kUnixInode &&
           use(words[kUnixInode], [&] { return UnixPeer(words); });
  });
}

}  // namespace

// Groups of four bytes, each in the order of this machine.
std::string ReadableAddress(std::string_view text) {
  constexpr size_t kGroup = 8;  // digits
  const size_t colon = text.find(':');
  uint16_t port = 0;
  if (colon == std::string_view::npos ||
      !ParseHex(text.substr(colon + 1), port)) {
    return "";
  }
  const std::string_view address = text.substr(0, colon);
  const bool six = address.size() == 4 * kGroup;
  if (!six && address.size() != kGroup) return "";
  std::array<uint32_t, 4> words{};
  for (size_t i = 0; i < address.size() / kGroup; ++i) {
    if (!ParseHex(address.substr(i * kGroup, kGroup), words[i])) return "";
  }
  std::array<char, INET6_ADDRSTRLEN> shown;
  inet_ntop(six ? AF_INET6 : AF_INET, words.data(), shown.data(), shown.size());
  return six ? absl::StrCat("[", shown.data(), "]:", port)
             : absl::StrCat(shown.data(), ":", port);
}

std::string SocketPeer(std::string_view inode, const std::string& root) {
  std::string peer;
  ForEachSocket(root, [&](const std::string& each, const auto& describe) {
    if (each != inode) return false;
    peer = describe();
    return true;
  });
  return peer;
}

absl::flat_hash_map<std::string, std::string> SocketPeers(
    const std::string& root) {
  absl::flat_hash_map<std::string, std::string> peers;
  ForEachSocket(root, [&](const std::string& inode, const auto& describe) {
    peers.try_emplace(inode, describe());
    return false;
  });
  return peers;
}

}  // namespace wallprof::threads
