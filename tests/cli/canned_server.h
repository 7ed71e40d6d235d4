// An HTTP server that gives the same answer to every request, and keeps what
// was asked.
#ifndef WALLPROF_TESTS_CLI_CANNED_SERVER_H_
#define WALLPROF_TESTS_CLI_CANNED_SERVER_H_

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace wallprof::cli {

class CannedServer {
 public:
  // Listens on a free port of this machine, or on a unix socket. `answer` is
  // sent as it is, head and all.
  explicit CannedServer(std::string answer, const std::string& unix_path = "");
  ~CannedServer();
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  // "127.0.0.1:PORT" or "unix:/path".
  const std::string& address() const { return address_; }

  // First lines of the requests so far.
  std::vector<std::string> requests();

 private:
  void Serve();

  std::string answer_;
  std::string address_;
  int listener_ = -1;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

// An answer of this status line and body.
std::string HttpAnswer(const std::string& status, const std::string& body);

}  // namespace wallprof::cli

#endif  // WALLPROF_TESTS_CLI_CANNED_SERVER_H_
