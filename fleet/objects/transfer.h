// One HTTP request and its answer.
#ifndef WALLPROF_FLEET_OBJECTS_TRANSFER_H_
#define WALLPROF_FLEET_OBJECTS_TRANSFER_H_

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

namespace wallprof::objects {

struct TransferRequest {
  std::string method;
  std::string url;
  std::map<std::string, std::string> headers;
  std::string_view body;  // for PUT
  size_t max_bytes = 0;   // of the answer's body, if it is no error
};

struct TransferAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Keeps connections open for the next request. Thread-safe.
class Transfer {
 public:
  // See ObjectStoreOptions.
  Transfer(absl::Duration stall, std::function<bool()> cancelled);
  ~Transfer();

  // Unavailable where no whole answer came, Cancelled, ResourceExhausted for a
  // body of more than `max_bytes`. Redirects are answers like others.
  absl::StatusOr<TransferAnswer> Send(const TransferRequest& request);

 private:
  class Handle;

  std::unique_ptr<Handle> Take();

  const absl::Duration stall_;
  const std::function<bool()> cancelled_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace wallprof::objects

#endif  // WALLPROF_FLEET_OBJECTS_TRANSFER_H_
