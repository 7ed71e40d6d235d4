// Whatever the bytes of a request, there is one response or none, bodies keep
// to their limit, and nothing of the client's is found in our headers. For
// libFuzzer (WALLPROF_BUILD_FUZZERS) and, over the corpus alone, for the tests.
// The first byte says in what pieces the others come.
#include "tests/http/request_fuzz.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "http/response.h"
#include "http/server/exchange.h"

namespace wallprof::http {
namespace {

constexpr size_t kBodyBytes = 100;
constexpr size_t kHeadBytes = 4096;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

// A client that has sent all it will, in pieces.
class SentTransport : public Transport {
 public:
  SentTransport(std::string_view bytes, size_t piece, std::string& answer)
      : bytes_(bytes), piece_(piece), answer_(answer) {}

  Outcome Receive(char* bytes, size_t size) override {
    const size_t count = bytes_.copy(bytes, std::min(size, piece_));
    bytes_.remove_prefix(count);
    return {static_cast<ssize_t>(count), 0};
  }
  Outcome Send(std::string_view bytes) override {
    answer_.append(bytes);
    return {static_cast<ssize_t>(bytes.size()), 0};
  }
  void EndSending() override {}
  int descriptor() const override { return -1; }

 private:
  std::string_view bytes_;
  const size_t piece_;
  std::string& answer_;
};

// What the handler was asked last.
struct Asked {
  int times = 0;
  int refused = 0;
};

HttpResponse Handle(const HttpRequest& request, Asked& asked) {
  ++asked.times;
  Require(request.body.size() <= kBodyBytes, "bodies keep to their limit");
  Require(request.method.find_first_of("\r\n ") == std::string::npos,
          "methods are words");
  Require(request.target.find_first_of("\r\n ") == std::string::npos,
          "targets are words");
  for (const auto& [name, value] : request.headers) {
    Require(std::none_of(name.begin(), name.end(),
                         [](char c) { return c >= 'A' && c <= 'Z'; }),
            "names of headers are in lower case");
    Require(value.find('\n') == std::string::npos, "headers are lines");
  }
  Require(!request.client_gone(), "the client is there");
  return Content(kPlainText, request.body);
}

Exchange& Tried(Asked*& asked) {
  static Asked* current = nullptr;
  static const std::unique_ptr<Exchange> exchange = [] {
    Answering answering;
    answering.handle = [](const HttpRequest& r) { return Handle(r, *current); };
    answering.answer_head = [](const HttpRequest& head) {
      Require(head.body.empty(), "a head has no body");
      return std::optional<HttpResponse>();
    };
    answering.refused = [](int) { ++current->refused; };
    answering.body_bytes = kBodyBytes;
    return *Exchange::Create(std::move(answering));
  }();
  current = asked;
  return *exchange;
}

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

}  // namespace

void CheckRequestBytes(std::string_view bytes) {
  if (bytes.empty()) return;
  const size_t piece = static_cast<unsigned char>(bytes[0]) + 1;
  bytes.remove_prefix(1);
  ConnectionLimits limits;
  limits.head_bytes = kHeadBytes;
  std::string answer;
  Asked asked;
  Asked* pointer = &asked;
  {
    Connection connection(std::make_unique<SentTransport>(bytes, piece, answer),
                          -1, limits);
    Tried(pointer).Answer(connection, [] { return false; });
  }
  Require(asked.times + asked.refused <= 1, "one request has one answer");
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  std::string_view rest = answer;
  if (rest.substr(0, kContinue.size()) == kContinue) {
    rest.remove_prefix(kContinue.size());
  }
  const std::string_view head = rest.substr(0, rest.find("\r\n\r\n"));
  Require(rest.substr(0, 9) == "HTTP/1.1 ", "an answer is HTTP");
  Require(head.size() < rest.size(), "a head ends");
  Require(CountOf(head, "HTTP/1.1 ") == 1, "there is one answer");
  // Ours, whatever the client sent.
  Require(head.size() < 1000, "a head is ours");
}

}  // namespace wallprof::http

#ifndef WALLPROF_NO_FUZZER_ENTRY
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wallprof::http::CheckRequestBytes(
      {reinterpret_cast<const char*>(data), size});
  return 0;
}
#endif
