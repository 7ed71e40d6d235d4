#include "cli/curl_exchange.h"

#include <memory>
#include <utility>

#include "fleet/transfer/transfer.h"

namespace wallprof::cli {
namespace {

AgentAnswer Exchange(fleet::Transfer& transfer, const AgentRequest& request,
                     size_t max_answer_bytes) {
  fleet::TransferRequest sent;
  sent.method = request.method;
  sent.url = request.url;
  sent.headers = request.headers;
  sent.body = request.body;
  sent.max_bytes = max_answer_bytes;
  sent.timeout = request.timeout;
  sent.follows = true;
  sent.cancelled = request.cancelled;
  bool was_sent = false;
  absl::StatusOr<fleet::TransferAnswer> received =
      transfer.Send(sent, &was_sent);
  AgentAnswer answer;
  if (received.ok()) {
    answer.result = AgentAnswer::Result::kAnswered;
    answer.status = received->status;
    answer.headers = std::move(received->headers);
    answer.body = std::move(received->body);
    return answer;
  }
  answer.result =
      was_sent ? AgentAnswer::Result::kBroken : AgentAnswer::Result::kNotSent;
  answer.error = absl::IsCancelled(received.status())
                     ? "stopped"
                     : std::string(received.status().message());
  return answer;
}

}  // namespace

AgentExchange NewCurlExchange(CurlOptions options) {
  fleet::TransferOptions transfer;
  // A program that is measured says nothing until the end.
  transfer.stall = absl::InfiniteDuration();
  transfer.unix_socket = std::move(options.unix_socket);
  transfer.certificates_file = std::move(options.certificates);
  transfer.keeps_connections = false;
  return [shared = std::make_shared<fleet::Transfer>(std::move(transfer)),
          max = options.max_answer_bytes](const AgentRequest& request) {
    return Exchange(*shared, request, max);
  };
}

}  // namespace wallprof::cli
