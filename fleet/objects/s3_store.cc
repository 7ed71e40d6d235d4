#include "fleet/objects/s3_store.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/objects/directory_store.h"
#include "fleet/objects/listing.h"

namespace wallprof::objects {

using fleet::TransferAnswer;

namespace {

// Before a request is tried again: this, then twice as long each time. S3 asks
// for it where it says SlowDown.
constexpr absl::Duration kFirstWait = absl::Milliseconds(100);
constexpr absl::Duration kLongestWait = absl::Seconds(5);

// Of an answer that has no object: a listing of 1000 keys of 1 KiB each, in
// XML, or an error.
constexpr size_t kMaxAnswerBytes = size_t{4} << 20;

// Of a store's words in an error of ours.
constexpr size_t kMaxErrorText = 300;

constexpr int kPartialContent = 206;

bool IsSuccess(int status) { return status >= 200 && status < 300; }

// 429 and 5xx pass, but for a store that is full or does not do this at all.
bool MayPass(int status) {
  return status == 429 || (status >= 500 && status != 501 && status != 507);
}

absl::StatusCode CodeOf(int status) {
  switch (status) {
    case 401:
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 416:
      return absl::StatusCode::kOutOfRange;
    case 507:
      return absl::StatusCode::kResourceExhausted;
    default:
      return MayPass(status) ? absl::StatusCode::kUnavailable
                             : absl::StatusCode::kFailedPrecondition;
  }
}

absl::Status ErrorOf(const TransferAnswer& answer, const std::string& what) {
  std::string words;
  if (const auto error = ParseStoreError(answer.body)) {
    words = absl::StrCat(error->code, error->message.empty() ? "" : ": ",
                         error->message);
  }
  for (char& c : words) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return absl::Status(
      CodeOf(answer.status),
      absl::StrCat(what, ": status ", answer.status, words.empty() ? "" : ", ",
                   words.substr(0, kMaxErrorText)));
}

}  // namespace

Clock Clock::System() { return {absl::Now, absl::SleepFor}; }

S3Store::S3Store(ObjectUrl url, Credentials credentials,
                 ObjectStoreOptions options, Clock clock)
    : url_(std::move(url)),
      credentials_(std::move(credentials)),
      options_(std::move(options)),
      clock_(std::move(clock)),
      transfer_({options_.stall, options_.cancelled}) {}

std::string S3Store::KeyInBucket(std::string_view key) const {
  return url_.prefix + std::string(key);
}

absl::Status S3Store::Put(std::string_view key, std::string_view bytes) {
  if (absl::Status checked = CheckKey(key); !checked.ok()) return checked;
  return Send({"PUT", KeyInBucket(key), {}, bytes, kMaxAnswerBytes}).status();
}

absl::StatusOr<std::string> S3Store::Get(std::string_view key,
                                         size_t max_bytes) {
  if (absl::Status checked = CheckKey(key); !checked.ok()) return checked;
  absl::StatusOr<TransferAnswer> answer =
      Send({"GET", KeyInBucket(key), {}, {}, max_bytes});
  if (!answer.ok()) return answer.status();
  return std::move(answer->body);
}

absl::StatusOr<std::string> S3Store::GetRange(std::string_view key,
                                              int64_t offset, int64_t bytes) {
  if (absl::Status checked = CheckKey(key); !checked.ok()) return checked;
  if (offset < 0 || bytes < 1 ||
      bytes > std::numeric_limits<int64_t>::max() - offset) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no range of ", bytes, " bytes from ", offset));
  }
  // There are servers that take "bytes=0-0" for no range.
  const int64_t asked = offset == 0 ? std::max<int64_t>(bytes, 2) : bytes;
  const Call call = {"GET",
                     KeyInBucket(key),
                     {},
                     {},
                     static_cast<size_t>(asked),
                     absl::StrCat("bytes=", offset, "-", offset + asked - 1)};
  absl::StatusOr<TransferAnswer> answer = Send(call);
  if (!answer.ok()) return answer.status();
  // Whoever does not know ranges answers with all of it.
  const std::string begin = absl::StrCat("bytes ", offset, "-");
  if (answer->status != kPartialContent ||
      answer->headers["content-range"].compare(0, begin.size(), begin) != 0) {
    return absl::DataLossError(absl::StrCat(Describe(call),
                                            ": the answer is not the range ",
                                            call.range, " that was asked for"));
  }
  if (answer->body.size() > static_cast<size_t>(bytes)) {
    answer->body.resize(static_cast<size_t>(bytes));
  }
  return std::move(answer->body);
}

absl::Status S3Store::Delete(std::string_view key) {
  if (absl::Status checked = CheckKey(key); !checked.ok()) return checked;
  const absl::Status status =
      Send({"DELETE", KeyInBucket(key), {}, {}, kMaxAnswerBytes}).status();
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<std::vector<ObjectInfo>> S3Store::List(std::string_view prefix,
                                                      std::string_view after,
                                                      int limit) {
  constexpr int kMaxKeys = 1000;  // of one answer
  if (limit < 1 || limit > kMaxKeys) {
    return absl::InvalidArgumentError(
        absl::StrCat("a listing's limit must be 1 to 1000, not ", limit));
  }
  std::vector<ObjectInfo> found;
  std::string start = after.empty() ? "" : KeyInBucket(after);
  for (bool more = true; more && found.size() < static_cast<size_t>(limit);) {
    Query query = {{"list-type", "2"},
                   {"max-keys", absl::StrCat(limit - found.size())},
                   {"prefix", KeyInBucket(prefix)}};
    if (!start.empty()) query["start-after"] = start;
    absl::StatusOr<TransferAnswer> answer =
        Send({"GET", "", std::move(query), {}, kMaxAnswerBytes});
    if (!answer.ok()) return answer.status();
    absl::StatusOr<Listing> listing = ParseListing(answer->body);
    if (!listing.ok()) return listing.status();
    more = listing->truncated && !listing->objects.empty();
    for (ObjectInfo& object : listing->objects) {
      if (object.key <= start ||
          object.key.compare(0, url_.prefix.size(), url_.prefix) != 0) {
        return absl::DataLossError(absl::StrCat("the listing has '", object.key,
                                                "', which was not asked for"));
      }
      start = object.key;
      object.key.erase(0, url_.prefix.size());
      found.push_back(std::move(object));
    }
  }
  return found;
}

// The bucket's own has no slash at its end, which some sign and some do not.
std::string S3Store::PathOf(const Call& call) const {
  if (call.key.empty() && !url_.root.empty()) return url_.root;
  return absl::StrCat(url_.root, "/", call.key);
}

std::string S3Store::Describe(const Call& call) const {
  return absl::StrCat(call.method, " ", url_.scheme, "://", url_.authority,
                      PathOf(call));
}

// Until it succeeds, fails for good, or patience ends. All of S3's requests may
// be repeated: each says what is to be, not what is to change.
absl::StatusOr<TransferAnswer> S3Store::Send(const Call& call) {
  const absl::Time end = clock_.now() + options_.patience;
  absl::Duration wait = kFirstWait;
  for (bool skew_learned = false;;) {
    absl::StatusOr<TransferAnswer> answer = SendOnce(call);
    absl::Status status = answer.status();
    if (answer.ok()) {
      if (IsSuccess(answer->status)) return answer;
      if (!std::exchange(skew_learned, true) && LearnSkew(*answer)) continue;
      status = ErrorOf(*answer, Describe(call));
    }
    if (!absl::IsUnavailable(status) || clock_.now() + wait > end) {
      return status;
    }
    if (options_.cancelled && options_.cancelled()) {
      return absl::CancelledError("the request was cancelled");
    }
    clock_.sleep(wait);
    wait = std::min(2 * wait, kLongestWait);
  }
}

absl::StatusOr<TransferAnswer> S3Store::SendOnce(const Call& call) {
  UnsignedRequest request;
  request.method = call.method;
  request.path = PathOf(call);
  request.query = call.query;
  request.headers["host"] = url_.authority;
  if (!call.range.empty()) request.headers["range"] = call.range;
  Sign(credentials_, url_.region,
       clock_.now() + absl::Seconds(skew_s_.load(std::memory_order_relaxed)),
       call.body, request);
  std::string url = absl::StrCat(url_.scheme, "://", url_.authority,
                                 UriEncode(request.path, false));
  if (!call.query.empty()) {
    absl::StrAppend(&url, "?", EncodedQuery(call.query));
  }
  absl::StatusOr<TransferAnswer> answer =
      transfer_.Send({call.method, std::move(url), request.headers, call.body,
                      call.max_bytes});
  if (answer.ok()) return answer;
  return absl::Status(
      answer.status().code(),
      absl::StrCat(Describe(call), ": ",
                   absl::string_view(answer.status().message())));
}

// A clock that is minutes off makes every signature wrong; the answer has the
// store's time. True if that is what it was.
bool S3Store::LearnSkew(const TransferAnswer& answer) {
  const std::optional<StoreError> error = ParseStoreError(answer.body);
  if (answer.status != 403 || !error || error->code != "RequestTimeTooSkewed") {
    return false;
  }
  const auto date = answer.headers.find("date");
  absl::Time time;
  if (date == answer.headers.end() ||
      !absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", date->second, &time,
                       nullptr)) {
    return false;
  }
  skew_s_.store(absl::ToInt64Seconds(time - clock_.now()),
                std::memory_order_relaxed);
  return true;
}

}  // namespace wallprof::objects

namespace wallprof {

absl::StatusOr<std::unique_ptr<ObjectStore>> OpenObjectStore(
    std::string_view url, const ObjectStoreOptions& options) {
  if (url.substr(0, objects::kDirectoryScheme.size()) ==
      objects::kDirectoryScheme) {
    absl::StatusOr<std::string> directory = objects::ParseDirectoryUrl(url);
    if (!directory.ok()) return directory.status();
    return objects::DirectoryStore::Open(*std::move(directory));
  }
  absl::StatusOr<objects::ObjectUrl> parsed = objects::ParseObjectUrl(url);
  if (!parsed.ok()) return parsed.status();
  const auto variable = [](const char* name) {
    const char* value = getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  objects::Credentials credentials = {variable("AWS_ACCESS_KEY_ID"),
                                      variable("AWS_SECRET_ACCESS_KEY"),
                                      variable("AWS_SESSION_TOKEN")};
  if (credentials.key_id.empty() || credentials.secret.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("object store ", absl::string_view(url.data(), url.size()),
                     ": AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be "
                     "set"));
  }
  return std::make_unique<objects::S3Store>(*std::move(parsed),
                                            std::move(credentials), options,
                                            objects::Clock::System());
}

}  // namespace wallprof
