// Whatever a server sends, and in whatever pieces, reading it ends, within
// bounds. For libFuzzer and, over the corpus alone, for the room's tests.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fleet/agent/http_message.h"
#include "tests/fleet/agent/fuzzing.h"

namespace wallprof::agent {
namespace {

struct Result {
  AnswerReader::State state;
  int status;
  std::string body;

  bool operator==(const Result&) const = default;
};

Result Read(std::string_view bytes, size_t piece) {
  AnswerReader reader;
  AnswerReader::State state = AnswerReader::State::kMore;
  while (!bytes.empty() && state == AnswerReader::State::kMore) {
    state = reader.Add(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  state = reader.End();
  Require(state != AnswerReader::State::kMore, "the end is the end");
  Require(reader.body().size() <= kMaxAnswerBytes + piece, "is bounded");
  Require(state != AnswerReader::State::kWhole || reader.status() >= 200,
          "a whole answer has a status");
  if (state == AnswerReader::State::kWrong) {
    Require(!reader.error().empty(), "what is wrong is said");
    return {state, 0, ""};
  }
  return {state, reader.status(), reader.body()};
}

}  // namespace

void CheckAnswerBytes(std::string_view bytes) {
  const Result whole = Read(bytes, bytes.size() + 1);
  Require(Read(bytes, 1) == whole, "pieces make no difference");
}

}  // namespace wallprof::agent

#ifndef WALLPROF_NO_FUZZER_ENTRY
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wallprof::agent::CheckAnswerBytes(
      {reinterpret_cast<const char*>(data), size});
  return 0;
}
#endif
