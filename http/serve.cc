#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "http/server/server.h"
#include "wallprof/http.h"

namespace wallprof {

namespace {

// A server together with what it serves from, ended in the right order.
class ProfilerServer : public Server {
 public:
  // `owned` may be empty: the profiler is then the caller's.
  ProfilerServer(std::unique_ptr<Profiler> owned,
                 std::unique_ptr<ProfileSource> source,
                 std::unique_ptr<Server> server)
      : owned_(std::move(owned)),
        source_(std::move(source)),
        server_(std::move(server)) {}

  int port() const override { return server_->port(); }
  std::string url() const override { return server_->url(); }
  void Stop() override { server_->Stop(); }

 private:
  std::unique_ptr<Profiler> owned_;
  std::unique_ptr<ProfileSource> source_;
  std::unique_ptr<Server> server_;
};

absl::StatusOr<std::unique_ptr<Server>> ServeProfiler(
    std::string_view address, Profiler& profiler,
    std::unique_ptr<Profiler> owned, const HttpOptions& options) {
  std::unique_ptr<ProfileSource> source = SourceOf(profiler);
  http::SpawnThread spawn = [&profiler](const std::string& name,
                                        std::function<void()> body) {
    return profiler.RunPrivately(name, std::move(body));
  };
  absl::StatusOr<std::unique_ptr<Server>> server =
      http::ServeSource(address, *source, std::move(spawn), options);
  if (!server.ok()) return server.status();
  return std::make_unique<ProfilerServer>(std::move(owned), std::move(source),
                                          *std::move(server));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Serve(std::string_view address,
                                              Profiler& profiler,
                                              const HttpOptions& options) {
  return ServeProfiler(address, profiler, nullptr, options);
}

absl::StatusOr<std::unique_ptr<Server>> Serve(std::string_view address) {
  absl::StatusOr<std::unique_ptr<Profiler>> profiler = Profiler::Start();
  if (!profiler.ok()) return profiler.status();
  Profiler& started = **profiler;
  return ServeProfiler(address, started, *std::move(profiler), {});
}

}  // namespace wallprof
