#include "tests/fleet/objects/scripted_store.h"

namespace wallprof::objects {

ScriptedStore::ScriptedStore() {
  const auto handle = [this](const httplib::Request& request,
                             httplib::Response& response) {
    Handle(request, response);
  };
  server_.Get(".*", handle);
  server_.Put(".*", handle);
  server_.Post(".*", handle);
  server_.Delete(".*", handle);
  const int port = server_.bind_to_any_port("127.0.0.1");
  endpoint_ = "http://127.0.0.1:" + std::to_string(port);
  thread_ = std::thread([this] { server_.listen_after_bind(); });
  while (!server_.is_running()) std::this_thread::yield();
}

ScriptedStore::~ScriptedStore() {
  server_.stop();
  thread_.join();
}

void ScriptedStore::Script(std::vector<Answer> answers) {
  std::lock_guard lock(mutex_);
  answers_.assign(answers.begin(), answers.end());
}

std::vector<ScriptedStore::Asked> ScriptedStore::asked() {
  std::lock_guard lock(mutex_);
  return asked_;
}

void ScriptedStore::Handle(const httplib::Request& request,
                           httplib::Response& response) {
  std::lock_guard lock(mutex_);
  asked_.push_back(
      {request.method, request.target, request.body, request.headers});
  // The server would cut a part out of the answer itself.
  const_cast<httplib::Request&>(request).ranges.clear();
  if (answers_.empty()) return;
  response.status = answers_.front().status;
  response.headers = answers_.front().headers;
  response.body = answers_.front().body;
  answers_.pop_front();
}

}  // namespace wallprof::objects
