#include "fleet/transfer/transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "fleet/transfer/url.h"

namespace wallprof::fleet {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);

// Of an error's body, which is for people; what is beyond is dropped.
constexpr size_t kMaxErrorBytes = 16 << 10;
constexpr long kFirstErrorStatus = 300;

// Of it, what is shown; ours are a sentence.
constexpr size_t kMaxErrorText = 500;

// How long a wait goes on before it looks whether it is still wanted.
constexpr int kLookUpMilliseconds = 50;

// Proxies that put servers under another path redirect once or twice.
constexpr long kMaxRedirects = 5;

constexpr char kProtocols[] = "http,https";

struct Exchange {
  CURL* curl;
  const TransferRequest& request;
  TransferAnswer answer;
  size_t sent = 0;
  bool too_large = false;
};

size_t GiveBody(char* buffer, size_t size, size_t count, void* exchange) {
  auto& given = *static_cast<Exchange*>(exchange);
  const std::string_view left = given.request.body.substr(given.sent);
  const size_t bytes = std::min(size * count, left.size());
  memcpy(buffer, left.data(), bytes);
  given.sent += bytes;
  return bytes;
}

// libcurl sends again what a server that closed a kept connection has not read.
int Rewind(void* exchange, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Exchange*>(exchange)->sent = static_cast<size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

size_t TakeBody(char* bytes, size_t size, size_t count, void* exchange) {
  auto& taken = *static_cast<Exchange*>(exchange);
  long status = 0;
  curl_easy_getinfo(taken.curl, CURLINFO_RESPONSE_CODE, &status);
  const bool is_error = status >= kFirstErrorStatus;
  const size_t most = is_error ? kMaxErrorBytes : taken.request.max_bytes;
  const size_t room = most - std::min(most, taken.answer.body.size());
  if (size * count > room && !is_error) {
    taken.too_large = true;
    return 0;  // ends the transfer
  }
  taken.answer.body.append(bytes, std::min(size * count, room));
  return size * count;
}

size_t TakeHeader(char* bytes, size_t size, size_t count, void* exchange) {
  const absl::string_view line(bytes, size * count);
  auto& headers = static_cast<Exchange*>(exchange)->answer.headers;
  const size_t colon = line.find(':');
  if (absl::StartsWith(line, "HTTP/")) {
    headers.clear();  // of what was only on the way here
  } else if (colon != absl::string_view::npos) {
    headers[absl::AsciiStrToLower(line.substr(0, colon))] =
        std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return size * count;
}

using Headers = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

Headers HeadersOf(const TransferRequest& request) {
  Headers headers(nullptr, curl_slist_free_all);
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return;
    static_cast<void>(headers.release());
    headers.reset(longer);
  };
  for (const auto& [name, value] : request.headers) {
    add(absl::StrCat(name, ": ", value));
  }
  add("expect:");  // stores answer it late, or not at all
  if (request.method == "POST" && request.headers.count("content-type") == 0 &&
      request.headers.count("Content-Type") == 0) {
    add("content-type:");  // libcurl takes every body for a form
  }
  return headers;
}

void SetRequest(CURL* curl, Exchange& exchange, const Headers& headers) {
  const TransferRequest& request = exchange.request;
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, kProtocols);
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, kProtocols);
  if (IsLoopback(request.url)) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  if (request.follows && request.method == "GET") {
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMaxRedirects);
  }
  const auto bytes = static_cast<curl_off_t>(request.body.size());
  if (request.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, bytes);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, GiveBody);
    curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, Rewind);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &exchange);
  } else if (request.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    // Of an empty view it may be null, which would mean: read from a file.
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                     bytes > 0 ? request.body.data() : "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, bytes);
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
}

void SetAnswer(CURL* curl, Exchange& exchange) {
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, TakeHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
}

void SetWaits(CURL* curl, absl::Duration stall, absl::Duration timeout) {
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  // Who is cancelled does not wait for a name server.
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(
      curl, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(absl::ToInt64Milliseconds(kConnectTimeout)));
  if (stall != absl::InfiniteDuration()) {
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(
        curl, CURLOPT_LOW_SPEED_TIME,
        std::max(1L, static_cast<long>(absl::ToInt64Seconds(stall))));
  }
  if (timeout == absl::InfiniteDuration()) return;
  curl_easy_setopt(
      curl, CURLOPT_TIMEOUT_MS,
      std::max(1L, static_cast<long>(absl::ToInt64Milliseconds(timeout))));
}

// PEM text as libcurl takes it; the text must outlive the transfer.
curl_blob BlobOf(const std::string& text) {
  return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
}

void SetTls(CURL* curl, const TransferOptions& options) {
  if (!options.certificates_file.empty() || !options.certificates.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // of the system's
  }
  // A key that wants a password is refused; nobody is there to be asked.
  curl_easy_setopt(curl, CURLOPT_KEYPASSWD, "");
  if (!options.certificates_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options.certificates_file.c_str());
  }
  const auto set = [curl](CURLoption option, const std::string& text) {
    if (text.empty()) return;
    curl_blob blob = BlobOf(text);
    curl_easy_setopt(curl, option, &blob);
  };
  set(CURLOPT_CAINFO_BLOB, options.certificates);
  set(CURLOPT_SSLCERT_BLOB, options.client_certificate);
  set(CURLOPT_SSLKEY_BLOB, options.client_key);
}

// What went wrong, in the same words each time: without the milliseconds that
// it took.
std::string ReasonOf(CURLcode result, const char* words) {
  std::string reason = *words != '\0' ? words : curl_easy_strerror(result);
  constexpr std::string_view kAfter = " after ";
  const size_t after = reason.find(kAfter);
  if (after == std::string::npos) return reason;
  const size_t unit =
      reason.find_first_not_of("0123456789", after + kAfter.size());
  if (unit == std::string::npos || unit == after + kAfter.size()) return reason;
  const absl::string_view rest = absl::string_view(reason).substr(unit);
  if (absl::StartsWith(rest, " milliseconds")) {
    reason.resize(after);  // bytes that came until then
  } else if (absl::StartsWith(rest, " ms:")) {
    reason.erase(after, unit + strlen(" ms") - after);
  }
  return reason;
}

}  // namespace

std::string ErrorText(const TransferAnswer& answer) {
  std::string text(
      absl::StripAsciiWhitespace(answer.body.substr(0, kMaxErrorText)));
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); },
      ' ');
  return text.empty() ? absl::StrCat("status ", answer.status)
                      : absl::StrCat("status ", answer.status, ": ", text);
}

// libcurl's, with the connections that it keeps.
class Transfer::Handle {
 public:
  Handle()
      : multi_(curl_multi_init(), curl_multi_cleanup),
        curl_(curl_easy_init(), curl_easy_cleanup) {}

  // Null where there is no memory for one.
  CURL* get() const { return multi_ == nullptr ? nullptr : curl_.get(); }

  // CURLE_ABORTED_BY_CALLBACK where it was cancelled, perhaps before it began.
  CURLcode Perform(Exchange& exchange, const TransferOptions& options,
                   char* reason);

  // Whether all of it has left this machine, as far as it knows.
  bool WasSent(const TransferRequest& request) const;

 private:
  CURLcode Run(const std::function<bool()>& cancelled);

  // The connections are the multi's, which must outlive what uses them.
  std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi_;
  std::unique_ptr<CURL, void (*)(CURL*)> curl_;
  bool has_begun_ = false;  // until then libcurl tells of the request before
};

CURLcode Transfer::Handle::Perform(Exchange& exchange,
                                   const TransferOptions& options,
                                   char* reason) {
  CURL* curl = get();
  curl_easy_reset(curl);
  const Headers headers = HeadersOf(exchange.request);
  SetRequest(curl, exchange, headers);
  SetAnswer(curl, exchange);
  SetWaits(curl, options.stall, exchange.request.timeout);
  SetTls(curl, options);
  if (!options.unix_socket.empty()) {
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH,
                     options.unix_socket.c_str());
  }
  if (!options.keeps_connections) {
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
  }
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  const CURLcode result = Run([&] {
    return (options.cancelled && options.cancelled()) ||
           (exchange.request.cancelled && exchange.request.cancelled());
  });
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  exchange.answer.status = static_cast<int>(status);
  return result;
}

// libcurl asks by itself whether it shall go on only once a second.
CURLcode Transfer::Handle::Run(const std::function<bool()>& cancelled) {
  if (curl_multi_add_handle(multi_.get(), get()) != CURLM_OK) {
    return CURLE_OUT_OF_MEMORY;
  }
  CURLcode result = CURLE_OUT_OF_MEMORY;  // where libcurl says nothing
  has_begun_ = false;
  for (int running = 1; running > 0;) {
    if (cancelled()) {
      result = CURLE_ABORTED_BY_CALLBACK;
      break;
    }
    has_begun_ = true;
    if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) break;
    if (running == 0) break;
    curl_multi_poll(multi_.get(), nullptr, 0, kLookUpMilliseconds, nullptr);
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg == CURLMSG_DONE) result = message->data.result;
  }
  curl_multi_remove_handle(multi_.get(), get());
  return result;
}

bool Transfer::Handle::WasSent(const TransferRequest& request) const {
  curl_off_t body = 0;
  long head = 0;
  curl_easy_getinfo(get(), CURLINFO_SIZE_UPLOAD_T, &body);
  curl_easy_getinfo(get(), CURLINFO_REQUEST_SIZE, &head);
  return has_begun_ && head > 0 &&
         body >= static_cast<curl_off_t>(request.body.size());
}

Transfer::Transfer(TransferOptions options) : options_(std::move(options)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);  // counts; thread-safe since 7.84
}

Transfer::~Transfer() {
  idle_.clear();
  curl_global_cleanup();
}

std::unique_ptr<Transfer::Handle> Transfer::Take() {
  std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Handle>();
  std::unique_ptr<Handle> handle = std::move(idle_.back());
  idle_.pop_back();
  return handle;
}

absl::StatusOr<TransferAnswer> Transfer::Send(const TransferRequest& request,
                                              bool* was_sent) {
  std::unique_ptr<Handle> handle = Take();
  if (handle->get() == nullptr) {
    return absl::InternalError("cannot start libcurl");
  }
  Exchange exchange{handle->get(), request, {}};
  char reason[CURL_ERROR_SIZE] = "";
  const CURLcode result = handle->Perform(exchange, options_, reason);
  if (was_sent != nullptr) *was_sent = handle->WasSent(request);
  {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(handle));
  }
  if (result == CURLE_OK) return std::move(exchange.answer);
  if (result == CURLE_ABORTED_BY_CALLBACK) {
    return absl::CancelledError("the request was cancelled");
  }
  if (exchange.too_large) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the answer has more than ", request.max_bytes, " bytes"));
  }
  return absl::UnavailableError(ReasonOf(result, reason));
}

}  // namespace wallprof::fleet
