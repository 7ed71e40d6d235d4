#include "cli/curl_exchange.h"

#include <curl/curl.h>

#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/fetch_url.h"

namespace wallprof::cli {
namespace {

// How long a wait goes on before it looks whether it is still wanted.
constexpr int kLookUpMilliseconds = 20;

constexpr long kConnectSeconds = 10;

// Proxies that put profilers under another path redirect once or twice.
constexpr long kMaxRedirects = 5;

using Easy = std::unique_ptr<CURL, void (*)(CURL*)>;
using Headers = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

struct Received {
  AgentAnswer answer;
  size_t max_bytes;
};

size_t TakeBody(char* bytes, size_t size, size_t count, void* pointer) {
  Received& received = *static_cast<Received*>(pointer);
  // 0 ends the transfer.
  if (received.answer.body.size() + size * count > received.max_bytes) return 0;
  received.answer.body.append(bytes, size * count);
  return size * count;
}

size_t TakeHeader(char* bytes, size_t size, size_t count, void* pointer) {
  Received& received = *static_cast<Received*>(pointer);
  const std::string line(bytes, size * count);
  const size_t colon = line.find(':');
  if (colon == std::string::npos) {
    received.answer.headers.clear();  // the first line of another answer
  } else {
    received.answer.headers[absl::AsciiStrToLower(line.substr(0, colon))] =
        std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return size * count;
}

Headers HeadersOf(const AgentRequest& request) {
  // Without it bodies of a megabyte are sent a second later.
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  for (const auto& [name, value] : request.headers) {
    list = curl_slist_append(list, absl::StrCat(name, ": ", value).c_str());
  }
  return {list, curl_slist_free_all};
}

void Prepare(CURL* easy, const AgentRequest& request,
             const CurlOptions& options, const Headers& headers,
             Received& received) {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  if (!options.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH,
                     options.unix_socket.c_str());
  }
  if (!options.certificates.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.certificates.c_str());
  }
  if (IsLoopback(request.url)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  } else {
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMaxRedirects);
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Stopping does not wait for a name server.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(
      easy, CURLOPT_TIMEOUT_MS,
      static_cast<long>(absl::ToInt64Milliseconds(request.timeout)));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, TakeHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &received);
}

// CURLE_ABORTED_BY_CALLBACK where it was cancelled.
CURLcode Perform(CURL* easy, const AgentRequest& request) {
  const std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi(curl_multi_init(),
                                                            curl_multi_cleanup);
  if (multi == nullptr) return CURLE_OUT_OF_MEMORY;
  curl_multi_add_handle(multi.get(), easy);
  CURLcode result = CURLE_ABORTED_BY_CALLBACK;
  int running = 1;
  while (running > 0 && !(request.cancelled && request.cancelled())) {
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
    if (running == 0) break;
    curl_multi_poll(multi.get(), nullptr, 0, kLookUpMilliseconds, nullptr);
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
    if (message->msg == CURLMSG_DONE) result = message->data.result;
  }
  curl_multi_remove_handle(multi.get(), easy);
  return result;
}

// Whether all of the request has left this machine, as far as it knows.
bool WasSent(CURL* easy, const AgentRequest& request) {
  curl_off_t sent = 0;
  long connected = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &connected);
  return connected > 0 && sent >= static_cast<curl_off_t>(request.body.size());
}

AgentAnswer Exchange(const AgentRequest& request, const CurlOptions& options) {
  Received received{{}, options.max_answer_bytes};
  AgentAnswer& answer = received.answer;
  const Easy easy(curl_easy_init(), curl_easy_cleanup);
  if (easy == nullptr) {
    answer.error = "cannot start libcurl";
    return answer;
  }
  const Headers headers = HeadersOf(request);
  char reason[CURL_ERROR_SIZE] = "";
  Prepare(easy.get(), request, options, headers, received);
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, reason);
  const CURLcode result = Perform(easy.get(), request);
  if (result != CURLE_OK) {
    answer.result = WasSent(easy.get(), request)
                        ? AgentAnswer::Result::kBroken
                        : AgentAnswer::Result::kNotSent;
    answer.error = reason[0] != '\0' ? reason : curl_easy_strerror(result);
    if (result == CURLE_ABORTED_BY_CALLBACK) answer.error = "stopped";
    return answer;
  }
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.result = AgentAnswer::Result::kAnswered;
  answer.status = static_cast<int>(status);
  return std::move(answer);
}

}  // namespace

AgentExchange NewCurlExchange(CurlOptions options) {
  return [options = std::move(options)](const AgentRequest& request) {
    return Exchange(request, options);
  };
}

}  // namespace wallprof::cli
