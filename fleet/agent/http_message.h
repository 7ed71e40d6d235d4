// Requests and answers of HTTP/1.1 as bytes, one of each a connection.
//
// Not cpp-httplib's client: it waits for names and connections in ways that
// nothing can end, its library brings OpenSSL into the program, and in programs
// that have a cpp-httplib of their own it cannot be used at all. What is sent
// here is always of one form; what is read is bounded.
#ifndef WALLPROF_FLEET_AGENT_HTTP_MESSAGE_H_
#define WALLPROF_FLEET_AGENT_HTTP_MESSAGE_H_

#include <map>
#include <string>
#include <string_view>

#include "fleet/agent/url.h"
#include "wallprof/agent.h"

namespace wallprof::agent {

// What is read of an answer at most: lists of profiles are the longest.
inline constexpr size_t kMaxAnswerBytes = size_t{4} << 20;

// Of its head.
inline constexpr size_t kMaxHeadBytes = size_t{64} << 10;

// The request without its body, which follows as it is.
std::string RequestHead(const AgentRequest& request, const Url& url);

// Reads an answer as its bytes come.
class AnswerReader {
 public:
  enum class State { kMore, kWhole, kWrong };

  // Takes the next bytes; once it is not kMore any more it stays so.
  State Add(std::string_view bytes);

  // No more bytes come: the end of a body whose length nobody said.
  State End();

  // What was wrong, in a sentence.
  const std::string& error() const { return error_; }

  int status() const { return status_; }
  const std::map<std::string, std::string>& headers() const { return headers_; }
  const std::string& body() const { return body_; }

 private:
  State Wrong(const char* why);
  State ReadHead();
  State ReadBody();
  State ReadChunks();
  bool ParseHead(std::string_view head);

  State state_ = State::kMore;
  std::string unread_;
  bool has_head_ = false;
  bool is_chunked_ = false;
  bool has_length_ = false;
  size_t length_ = 0;
  int status_ = 0;
  std::map<std::string, std::string> headers_;
  std::string body_;
  std::string error_;
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_HTTP_MESSAGE_H_
