// A server of HTTP that does to each connection what a test wants.
#ifndef WALLPROF_TESTS_FLEET_TRANSFER_RAW_SERVER_H_
#define WALLPROF_TESTS_FLEET_TRANSFER_RAW_SERVER_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace wallprof::fleet {

// What came over a connection.
struct RawRequest {
  std::string line;  // "GET /a?b=c HTTP/1.1"
  std::string head;  // the lines after it
  std::string body;
};

// One client, after its request.
class RawConnection {
 public:
  RawConnection(int socket, RawRequest request)
      : socket_(socket), request_(std::move(request)) {}

  const RawRequest& request() const { return request_; }

  // False where the client has gone.
  bool Send(std::string_view bytes);

  // Until the client, or the server with all that it serves, goes.
  void AwaitEnd();

 private:
  const int socket_;
  const RawRequest request_;
};

// A thread for each connection; joined when destroyed.
class RawServer {
 public:
  using Answer = std::function<void(RawConnection&)>;

  // On a free port of this machine, or on a unix socket. A connection is closed
  // when `answer` returns.
  explicit RawServer(Answer answer, const std::string& unix_path = "");
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  // "http://127.0.0.1:PORT"
  const std::string& url() const { return url_; }

  // First lines of the requests so far.
  std::vector<std::string> asked();
  size_t open_connections();

 private:
  void Serve();
  void Converse(int socket);

  const Answer answer_;
  std::string url_;
  int listener_ = -1;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::vector<int> open_;
  bool stopping_ = false;
  std::thread accepting_;
  std::vector<std::thread> conversing_;  // of `accepting_`, until it ends
};

// An answer of this status line, which ends the connection.
std::string RawAnswer(const std::string& status, const std::string& body,
                      const std::string& headers = "");

}  // namespace wallprof::fleet

#endif  // WALLPROF_TESTS_FLEET_TRANSFER_RAW_SERVER_H_
