#include "fleet/agent/http_message.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace wallprof::agent {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kLineEnd = "\r\n";

// Longer than any line that says how long the next chunk is.
constexpr size_t kMaxChunkLine = 1024;

constexpr int kContinue = 100;
constexpr int kFirstFinal = 200;
constexpr int kNoContent = 204;
constexpr int kNotModified = 304;
constexpr int kMaxStatus = 599;

// "HTTP/1.1 200 OK": the number, 0 if there is none.
int StatusOf(std::string_view line) {
  constexpr size_t kNumberAt = 9;
  constexpr size_t kNumberLength = 3;
  int status = 0;
  if (line.substr(0, 7) != "HTTP/1." ||
      line.size() < kNumberAt + kNumberLength ||
      !absl::SimpleAtoi(std::string(line.substr(kNumberAt, kNumberLength)),
                        &status)) {
    return 0;
  }
  return status >= kContinue && status <= kMaxStatus ? status : 0;
}

std::string Stripped(std::string_view text) {
  return std::string(
      absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size())));
}

// The next line, without its end, which is taken off `text` too; all of it
// where no line ends.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find(kLineEnd), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(text.size(), end + kLineEnd.size()));
  return line;
}

}  // namespace

std::string RequestHead(const AgentRequest& request, const Url& url) {
  std::string head = absl::StrCat(request.method, " ", url.target,
                                  " HTTP/1.1\r\nHost: ", url.authority,
                                  "\r\nConnection: close\r\n");
  if (!request.body.empty() || request.method == "POST") {
    absl::StrAppend(&head, "Content-Length: ", request.body.size(), "\r\n");
  }
  for (const auto& [name, value] : request.headers) {
    absl::StrAppend(&head, name, ": ", value, "\r\n");
  }
  return head + "\r\n";
}

AnswerReader::State AnswerReader::Wrong(const char* why) {
  error_ = why;
  return state_ = State::kWrong;
}

AnswerReader::State AnswerReader::Add(std::string_view bytes) {
  if (state_ != State::kMore) return state_;
  unread_ += bytes;
  while (state_ == State::kMore && !has_head_) {
    const size_t before = unread_.size();
    ReadHead();
    // A head like "100 Continue" is followed by another.
    if (!has_head_ && unread_.size() == before) return state_;
  }
  if (state_ == State::kMore) ReadBody();
  return state_;
}

AnswerReader::State AnswerReader::End() {
  if (state_ != State::kMore) return state_;
  if (has_head_ && !is_chunked_ && !has_length_) return state_ = State::kWhole;
  return Wrong(has_head_ || !unread_.empty()
                   ? "the answer was cut short"
                   : "the connection was closed without an answer");
}

AnswerReader::State AnswerReader::ReadHead() {
  const size_t end = unread_.find(kHeadEnd);
  if (end == std::string::npos) {
    return unread_.size() > kMaxHeadBytes
               ? Wrong("the answer's head is too long")
               : state_;
  }
  if (!ParseHead(std::string_view(unread_).substr(0, end))) {
    return Wrong("the answer is not one of HTTP");
  }
  unread_.erase(0, end + kHeadEnd.size());
  has_head_ = status_ >= kFirstFinal;
  if (has_head_ && (status_ == kNoContent || status_ == kNotModified)) {
    state_ = State::kWhole;
  }
  return state_;
}

bool AnswerReader::ParseHead(std::string_view head) {
  status_ = StatusOf(TakeLine(head));
  if (status_ == 0) return false;
  headers_.clear();
  while (!head.empty()) {
    const std::string_view line = TakeLine(head);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    headers_[absl::AsciiStrToLower(std::string(line.substr(0, colon)))] =
        Stripped(line.substr(colon + 1));
  }
  is_chunked_ = absl::StrContains(
      absl::AsciiStrToLower(headers_["transfer-encoding"]), "chunked");
  const std::string& length = headers_["content-length"];
  has_length_ = !is_chunked_ && !length.empty();
  return !has_length_ || absl::SimpleAtoi(length, &length_);
}

AnswerReader::State AnswerReader::ReadBody() {
  if (is_chunked_) return ReadChunks();
  body_ += unread_;
  unread_.clear();
  if (body_.size() > kMaxAnswerBytes || length_ > kMaxAnswerBytes) {
    return Wrong("the answer is too long");
  }
  if (has_length_ && body_.size() >= length_) {
    body_.resize(length_);
    state_ = State::kWhole;
  }
  return state_;
}

AnswerReader::State AnswerReader::ReadChunks() {
  for (;;) {
    const size_t line = unread_.find(kLineEnd);
    if (line == std::string::npos) {
      return unread_.size() > kMaxChunkLine ? Wrong("a chunk has no length")
                                            : state_;
    }
    const std::string digits = Stripped(
        std::string_view(unread_).substr(0, std::min(line, unread_.find(';'))));
    uint32_t size = 0;
    if (!absl::SimpleHexAtoi(digits, &size)) {
      return Wrong("a chunk's length is no number");
    }
    // What follows the last one is of no interest, nor is the rest awaited.
    if (size == 0) return state_ = State::kWhole;
    if (body_.size() + size > kMaxAnswerBytes) {
      return Wrong("the answer is too long");
    }
    const size_t begin = line + kLineEnd.size();
    if (unread_.size() < begin + size + kLineEnd.size()) return state_;
    body_.append(unread_, begin, size);
    unread_.erase(0, begin + size + kLineEnd.size());
  }
}

}  // namespace wallprof::agent
