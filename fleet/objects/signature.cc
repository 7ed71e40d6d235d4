#include "fleet/objects/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace wallprof::objects {
namespace {

constexpr char kAlgorithm[] = "AWS4-HMAC-SHA256";
constexpr char kService[] = "s3";
constexpr char kTerminator[] = "aws4_request";

std::string Hex(std::string_view bytes) {
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

std::string Hmac(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest,
       &size);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

std::string SigningKey(const Credentials& credentials, std::string_view date,
                       std::string_view region) {
  std::string key = Hmac("AWS4" + credentials.secret, date);
  key = Hmac(key, region);
  key = Hmac(key, kService);
  return Hmac(key, kTerminator);
}

}  // namespace

std::string UriEncode(std::string_view text, bool slashes) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' ||
        c == '~' || (c == '/' && !slashes)) {
      encoded += c;
    } else {
      constexpr char kDigits[] = "0123456789ABCDEF";
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

std::string EncodedQuery(const std::map<std::string, std::string>& query) {
  std::string encoded;
  for (const auto& [name, value] : query) {
    absl::StrAppend(&encoded, encoded.empty() ? "" : "&", UriEncode(name, true),
                    "=", UriEncode(value, true));
  }
  return encoded;
}

std::string Sha256Hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  return Hex({reinterpret_cast<const char*>(digest), size});
}

void Sign(const Credentials& credentials, std::string_view region,
          absl::Time time, std::string_view body, UnsignedRequest& request) {
  const std::string stamp =
      absl::FormatTime("%Y%m%dT%H%M%SZ", time, absl::UTCTimeZone());
  const std::string date = stamp.substr(0, 8);
  const std::string body_hash = Sha256Hex(body);
  request.headers["x-amz-date"] = stamp;
  request.headers["x-amz-content-sha256"] = body_hash;
  if (!credentials.token.empty()) {
    request.headers["x-amz-security-token"] = credentials.token;
  }
  std::string lines, names;
  for (const auto& [name, value] : request.headers) {
    absl::StrAppend(&lines, name, ":", value, "\n");
    absl::StrAppend(&names, names.empty() ? "" : ";", name);
  }
  const std::string canonical = absl::StrCat(
      request.method, "\n", UriEncode(request.path, false), "\n",
      EncodedQuery(request.query), "\n", lines, "\n", names, "\n", body_hash);
  const std::string scope =
      absl::StrCat(date, "/", absl::string_view(region.data(), region.size()),
                   "/", kService, "/", kTerminator);
  const std::string to_sign = absl::StrCat(kAlgorithm, "\n", stamp, "\n", scope,
                                           "\n", Sha256Hex(canonical));
  request.headers["authorization"] = absl::StrCat(
      kAlgorithm, " Credential=", credentials.key_id, "/", scope,
      ",SignedHeaders=", names,
      ",Signature=", Hex(Hmac(SigningKey(credentials, date, region), to_sign)));
}

}  // namespace wallprof::objects
