// A store that answers as it is told, and keeps what it was asked.
#ifndef WALLPROF_TESTS_FLEET_OBJECTS_SCRIPTED_STORE_H_
#define WALLPROF_TESTS_FLEET_OBJECTS_SCRIPTED_STORE_H_

#include <httplib.h>

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace wallprof::objects {

class ScriptedStore {
 public:
  struct Asked {
    std::string method;
    std::string target;
    std::string body;
    httplib::Headers headers;
  };
  struct Answer {
    int status = 200;
    std::string body;
    httplib::Headers headers;
  };

  ScriptedStore();
  ~ScriptedStore();

  // "http://127.0.0.1:PORT"
  const std::string& endpoint() const { return endpoint_; }

  // The next answers, one a request; afterwards 200 without a body.
  void Script(std::vector<Answer> answers);

  std::vector<Asked> asked();

 private:
  void Handle(const httplib::Request& request, httplib::Response& response);

  httplib::Server server_;
  std::string endpoint_;
  std::mutex mutex_;
  std::deque<Answer> answers_;
  std::vector<Asked> asked_;
  std::thread thread_;
};

}  // namespace wallprof::objects

#endif  // WALLPROF_TESTS_FLEET_OBJECTS_SCRIPTED_STORE_H_
