#include "cli/download.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/transfer/transfer.h"
#include "wallprof/formats.h"

namespace wallprof::cli {

absl::StatusOr<std::string> Download(const FetchUrl& url,
                                     absl::Duration timeout,
                                     std::function<void()> waiting) {
  fleet::TransferOptions options;
  // A program that is measured says nothing until the end.
  options.stall = absl::InfiniteDuration();
  options.unix_socket = url.unix_socket;
  fleet::TransferRequest request;
  request.method = "GET";
  request.url = url.url;
  // No profile is larger than what the decoder takes.
  request.max_bytes = kMaxDecodedBytes;
  request.timeout = timeout;
  request.follows = true;
  request.cancelled = [waiting = std::move(waiting)] {
    waiting();
    return false;
  };
  absl::StatusOr<fleet::TransferAnswer> answer =
      fleet::Transfer(std::move(options)).Send(request);
  if (!answer.ok()) {
    return absl::UnavailableError(absl::StrCat(
        url.unix_socket, url.unix_socket.empty() ? "" : " ", url.url, ": ",
        absl::string_view(answer.status().message())));
  }
  constexpr int kOk = 200;
  if (answer->status == kOk) return std::move(answer->body);
  return absl::UnavailableError(
      absl::StrCat(url.url, ": ", fleet::ErrorText(*answer)));
}

}  // namespace wallprof::cli
