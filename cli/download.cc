#include "cli/download.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "wallprof/formats.h"

namespace wallprof::cli {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);

// Proxies that put profilers under another path redirect once or twice.
constexpr long kMaxRedirects = 5;

// Of a server's error text; ours are a sentence.
constexpr size_t kMaxErrorText = 500;

struct Answer {
  std::string body;
  std::function<void()> waiting;
};

size_t TakeBody(char* bytes, size_t size, size_t count, void* answer) {
  std::string& body = static_cast<Answer*>(answer)->body;
  // No profile is larger than what the decoder takes. 0 ends the transfer.
  if (size * count > kMaxDecodedBytes - body.size()) return 0;
  body.append(bytes, size * count);
  return size * count;
}

int Waiting(void* answer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  static_cast<Answer*>(answer)->waiting();
  return 0;
}

// A server's words on one line, without what could drive a terminal.
std::string ErrorText(const std::string& body) {
  std::string text(absl::StripAsciiWhitespace(body.substr(0, kMaxErrorText)));
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); },
      ' ');
  return text;
}

void Prepare(CURL* curl, const FetchUrl& url, absl::Duration timeout,
             Answer& answer) {
  curl_easy_setopt(curl, CURLOPT_URL, url.url.c_str());
  if (!url.unix_socket.empty()) {
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, url.unix_socket.c_str());
  }
  if (IsLoopback(url.url)) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMaxRedirects);
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(
      curl, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(absl::ToInt64Milliseconds(kConnectTimeout)));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(timeout)));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, Waiting);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &answer);
}

}  // namespace

absl::StatusOr<std::string> Download(const FetchUrl& url,
                                     absl::Duration timeout,
                                     std::function<void()> waiting) {
  std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(),
                                              curl_easy_cleanup);
  if (curl == nullptr) return absl::InternalError("cannot start libcurl");
  Answer answer = {"", std::move(waiting)};
  char reason[CURL_ERROR_SIZE] = "";
  Prepare(curl.get(), url, timeout, answer);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, reason);

  CURLcode result = curl_easy_perform(curl.get());
  if (result != CURLE_OK) {
    return absl::UnavailableError(absl::StrCat(
        url.unix_socket, url.unix_socket.empty() ? "" : " ", url.url, ": ",
        reason[0] != '\0' ? reason : curl_easy_strerror(result)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  constexpr long kOk = 200;
  if (status == kOk) return std::move(answer.body);
  return absl::UnavailableError(
      absl::StrCat(url.url, ": status ", status, ": ", ErrorText(answer.body)));
}

}  // namespace wallprof::cli
