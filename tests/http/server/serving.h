// A test that has the embedded server run on threads of its own making.
#ifndef WALLPROF_TESTS_HTTP_SERVER_SERVING_H_
#define WALLPROF_TESTS_HTTP_SERVER_SERVING_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "http/server/server.h"
#include "tests/http/fake_source.h"
#include "tests/http/raw_client.h"

namespace wallprof::http {

class Serving : public ::testing::Test {
 protected:
  ~Serving() override {
    server_.reset();
    for (std::thread& thread : threads_) thread.join();
  }

  absl::StatusOr<std::unique_ptr<Server>> Open(std::string_view address) {
    return ServeSource(
        address, source_,
        [this](const std::string&, std::function<void()> body) {
          std::lock_guard<std::mutex> lock(mutex_);
          if (!may_spawn_) return absl::ResourceExhaustedError("no threads");
          threads_.emplace_back(std::move(body));
          return absl::OkStatus();
        },
        options_, limits_);
  }

  void Serve(std::string_view address = "127.0.0.1:0") {
    absl::StatusOr<std::unique_ptr<Server>> server = Open(address);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::string Exchange(std::string_view request) {
    RawClient client(server_->port());
    client.Send(request);
    return client.ReceiveAll();
  }

  void AllowThreads(bool allowed) {
    std::lock_guard<std::mutex> lock(mutex_);
    may_spawn_ = allowed;
  }

  size_t threads_made() {
    std::lock_guard<std::mutex> lock(mutex_);
    return threads_.size();
  }

  FakeSource source_;
  HttpOptions options_;
  ConnectionLimits limits_;
  std::unique_ptr<Server> server_;

 private:
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  bool may_spawn_ = true;
};

}  // namespace wallprof::http

#endif  // WALLPROF_TESTS_HTTP_SERVER_SERVING_H_
