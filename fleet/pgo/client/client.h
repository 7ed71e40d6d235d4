// A server's API, for the scraper and the command line.
#ifndef WALLPROF_FLEET_PGO_CLIENT_CLIENT_H_
#define WALLPROF_FLEET_PGO_CLIENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/pgo/base/base_store.h"
#include "fleet/transfer/transfer.h"

namespace wallprof::pgo {

struct ClientOptions {
  // "http://localhost:8080", perhaps with a path before /api. A token or a
  // password does not belong here.
  std::string api_url;
  std::function<std::string()> token;  // of each request; empty: none
  std::string certificates;  // file of those to trust; empty: the system's
  absl::Duration timeout = absl::Seconds(60);
  std::function<bool()> cancelled;  // may be empty
};

// InvalidArgument saying what is wrong with a server's URL.
absl::Status CheckApiUrl(std::string_view url);

// Thread-safe. Each call is one request. Errors: what the server says, with its
// status: InvalidArgument (400), PermissionDenied (401, 403), NotFound (404),
// OutOfRange (413), Unavailable (all else, and no answer: try again).
class Client {
 public:
  // InvalidArgument as CheckApiUrl().
  static absl::StatusOr<std::unique_ptr<Client>> Create(ClientOptions options);

  // Returns the key. `id` as BaseStore::Stage(); the same for every try of one
  // profile, 0: none. `version` may be empty.
  absl::StatusOr<std::string> Upload(std::string_view app,
                                     std::string_view bytes,
                                     std::string_view version = "",
                                     int64_t id = 0);
  absl::StatusOr<std::string> Download(std::string_view app);
  absl::StatusOr<std::vector<BaseInfo>> List();
  absl::Status Delete(std::string_view app);

  // Whether there is a server that answers; within seconds.
  absl::Status Check();

 private:
  explicit Client(ClientOptions options);

  // The answer to `request` with `path` behind the server's URL; the server's
  // errors as above.
  absl::StatusOr<fleet::TransferAnswer> Ask(fleet::TransferRequest request,
                                            std::string_view path);

  const ClientOptions options_;
  fleet::Transfer transfer_;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_CLIENT_CLIENT_H_
