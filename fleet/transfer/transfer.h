// One HTTP request and its answer, over libcurl.
#ifndef WALLPROF_FLEET_TRANSFER_TRANSFER_H_
#define WALLPROF_FLEET_TRANSFER_TRANSFER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wallprof::fleet {

struct TransferRequest {
  std::string method;  // GET, PUT, POST or DELETE
  std::string url;
  std::map<std::string, std::string> headers;
  std::string_view body;  // for PUT and POST
  size_t max_bytes = 0;   // of the answer's body, if it is no error
  absl::Duration timeout = absl::InfiniteDuration();  // for all of it

  // Goes where a GET is redirected to, a few times.
  bool follows = false;

  // Asked while this request waits, besides the options' own. May be empty.
  std::function<bool()> cancelled;
};

struct TransferAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // of an error, the first 16 KiB
};

// What to tell of an answer that is an error: "status 404: no such page". The
// beginning of its body, on one line, without what could drive a terminal.
std::string ErrorText(const TransferAnswer& answer);

struct TransferOptions {
  // Ends a request whose connection moves no byte for so long.
  absl::Duration stall = absl::Seconds(20);

  // Asked while a request waits; true ends it with Cancelled. May be empty.
  std::function<bool()> cancelled;

  // PEM, those to trust: a file, or the text itself. Both empty: the system's.
  std::string certificates_file;
  std::string certificates;

  // PEM, what to show to servers that want to know who asks; or empty.
  std::string client_certificate;
  std::string client_key;

  // To connect to instead of the URL's host; or empty.
  std::string unix_socket;

  // Whether connections stay open for the next request to the same server.
  bool keeps_connections = true;
};

// What of the environment says how to reach others is heeded (http_proxy,
// no_proxy), but for this machine's own addresses. Thread-safe.
class Transfer {
 public:
  explicit Transfer(TransferOptions options);
  ~Transfer();

  // Blocks. Unavailable where no whole answer came in time; Cancelled, within a
  // tenth of a second of being told; ResourceExhausted for a body of more than
  // `max_bytes`. Redirects that are not followed are answers like others.
  // `was_sent`, if given, is set to whether all of the request has left this
  // machine, as far as it knows.
  absl::StatusOr<TransferAnswer> Send(const TransferRequest& request,
                                      bool* was_sent = nullptr);

 private:
  class Handle;

  std::unique_ptr<Handle> Take();

  const TransferOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace wallprof::fleet

#endif  // WALLPROF_FLEET_TRANSFER_TRANSFER_H_
