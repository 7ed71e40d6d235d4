// The profiler over HTTP.
//
//   absl::StatusOr<std::unique_ptr<wallprof::Server>> server =
//       wallprof::Serve("127.0.0.1:6060");
//
// then `curl 'localhost:6060/?seconds=10'`. A host with a server of its own
// mounts Handle() on it instead (httplib_mount.h does so for cpp-httplib).
#ifndef WALLPROF_HTTP_H_
#define WALLPROF_HTTP_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wallprof/bundle.h"
#include "wallprof/profile.h"
#include "wallprof/profiler.h"
#include "wallprof/recorder.h"

namespace wallprof {

struct HttpRequest {
  std::string method = "GET";
  std::string target;  // path below the mount point, with its query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  // Asked now and then while the request waits; true ends it early. May be
  // empty.
  std::function<bool()> client_gone;

  // Where the handler is mounted, e.g. "/profiler": only shown to people, in
  // the example commands of the index.
  std::string mount_point;

  // The client, as "10.0.0.7:51234"; empty where it is not known.
  std::string peer;
};

struct HttpResponse {
  int status = 200;
  std::map<std::string, std::string> headers;  // Content-Type among them
  std::string body;
};

struct HttpOptions {
  // Longest window that `seconds` may ask for.
  absl::Duration max_seconds = absl::Seconds(3600);

  // Requests that may measure at once; one more is answered 503. Each holds a
  // thread while it lasts.
  int max_measurements = 32;

  // Names, besides localhost and IP addresses, that a Host header may carry.
  // Others are refused (403), so that a web page cannot reach the profiler by
  // rebinding its own name to this address.
  std::vector<std::string> allowed_hosts;

  // What /debug/profiles puts into its bundles; a request says for how long it
  // measures.
  BundleOptions bundle;
};

// What the handler serves from; Profiler is one, tests have another.
class ProfileSource : public BundleSource {
 public:
  virtual absl::StatusOr<Profile> Collect(absl::Duration duration,
                                          const CollectOptions& options) = 0;
  virtual Statistics Stats() = 0;

  // What was recorded (Profiler::Past, Profiler::DescribeRecorded); NotFound
  // where nothing is.
  virtual absl::StatusOr<Profile> Past(absl::Time from, absl::Time to,
                                       const PastOptions& options);
  virtual absl::StatusOr<Recorded> DescribeRecorded();

  // For bundles. Here they are views of what Collect gives, and Unimplemented.
  std::vector<absl::StatusOr<Profile>> CollectViews(
      absl::Duration duration, const std::vector<View>& views,
      const CollectOptions& options) override;
  absl::StatusOr<Profile> Snapshot(View view) override;
};

// `profiler` must outlive the result.
std::unique_ptr<ProfileSource> SourceOf(Profiler& profiler);

// Answers requests; knows nothing of sockets. Thread-safe.
class HttpHandler {
 public:
  // `source` must outlive the handler.
  explicit HttpHandler(ProfileSource& source, const HttpOptions& options = {});
  ~HttpHandler();

  // Blocks for as long as the request's window lasts.
  HttpResponse Handle(const HttpRequest& request);

 private:
  class State;
  std::unique_ptr<State> state_;
};

// A server of the profiler's own, on threads that are never sampled.
// Destroyed or stopped, it ends running requests within 100 ms.
class Server {
 public:
  virtual ~Server() = default;

  // The port listened on; 0 for a unix socket.
  virtual int port() const = 0;

  // As it can be put into a browser: "http://127.0.0.1:6060/" or "unix:/path".
  virtual std::string url() const = 0;

  // Ends running requests and frees the port. Idempotent. Thread-safe.
  virtual void Stop() = 0;
};

// Serves `profiler`, which must outlive the server, on "HOST:PORT", "PORT",
// ":PORT" (both loopback) or "unix:/path"; port 0 picks a free one.
// InvalidArgument for an address that cannot be read, AlreadyExists for one
// that is in use, the system's error otherwise.
absl::StatusOr<std::unique_ptr<Server>> Serve(std::string_view address,
                                              Profiler& profiler,
                                              const HttpOptions& options = {});

// As above with a profiler of the server's own, started with the defaults.
absl::StatusOr<std::unique_ptr<Server>> Serve(std::string_view address);

}  // namespace wallprof

#endif  // WALLPROF_HTTP_H_
