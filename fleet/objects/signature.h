// AWS Signature Version 4, as S3 wants it (Amazon S3 API reference,
// "Authenticating Requests: Using the Authorization Header").
#ifndef WALLPROF_FLEET_OBJECTS_SIGNATURE_H_
#define WALLPROF_FLEET_OBJECTS_SIGNATURE_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace wallprof::objects {

struct Credentials {
  std::string key_id;
  std::string secret;
  std::string token;  // of a session; may be empty
};

// A request before it is signed. Path and query are as they are, not encoded.
struct UnsignedRequest {
  std::string method;
  std::string path;  // from '/' on
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case; host
};

// Percent-encodes all but letters, digits and -._~, and '/' if `slashes`.
std::string UriEncode(std::string_view text, bool slashes);

// Encoded and in the order of names: "a=1&b=".
std::string EncodedQuery(const std::map<std::string, std::string>& query);

// SHA-256, in lower-case hex.
std::string Sha256Hex(std::string_view bytes);

// Adds x-amz-date, x-amz-content-sha256, authorization and, of a session,
// x-amz-security-token to the headers.
void Sign(const Credentials& credentials, std::string_view region,
          absl::Time time, std::string_view body, UnsignedRequest& request);

}  // namespace wallprof::objects

#endif  // WALLPROF_FLEET_OBJECTS_SIGNATURE_H_
