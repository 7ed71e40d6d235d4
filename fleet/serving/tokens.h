// Who may do what: bearer tokens of a file.
//
//   # what may ask, what may send, what may do anything
//   read  9f2c...
//   write 41aa...
//   admin c07e...
//
// Tokens are random strings; `openssl rand -hex 32` makes one. A token on
// several lines has all of their scopes.
#ifndef WALLPROF_FLEET_SERVING_TOKENS_H_
#define WALLPROF_FLEET_SERVING_TOKENS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace wallprof::serving {

// What a request needs. kAdmin includes all; kWrite does not include kRead, so
// that an agent's token shows nobody what other programs do.
enum class Scope { kNone, kRead, kWrite, kAdmin };

// "read" and so on.
std::string_view NameOf(Scope scope);

// One state of the file. Plain data.
class TokenSet {
 public:
  // InvalidArgument naming `path` and the line that cannot be read, or saying
  // that there is no token at all: nobody could come in.
  static absl::StatusOr<TokenSet> Parse(std::string_view text,
                                        const std::string& path);

  enum class Verdict {
    kAllowed,
    kMissing,    // no token, or none that can be read
    kUnknown,    // a token that is not in the file
    kForbidden,  // one whose scopes do not reach
  };

  // `authorization` is the header of that name, empty where there is none: of
  // the scheme Bearer, or Basic with the token as the password. The time it
  // takes does not tell how much of a token was right.
  Verdict Check(std::string_view authorization, Scope needed) const;

  // Whether there is a token so short that it can be guessed.
  bool has_short() const { return has_short_; }

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Token {
    Digest digest;  // of the token, which is not kept
    Scope scope;
  };

  static Digest DigestOf(std::string_view token);

  std::vector<Token> tokens_;
  bool has_short_ = false;
};

// The file, which may change while it is used. Thread-safe.
class TokenFile {
 public:
  // NotFound and the like naming the file, or as TokenSet::Parse().
  static absl::StatusOr<std::unique_ptr<TokenFile>> Open(std::string path);

  // Reads the file again. Where that fails what was read before stays.
  absl::Status Reload();

  TokenSet::Verdict Check(std::string_view authorization, Scope needed) const;

  // What should be better about the file as it was read last, a sentence each:
  // others may read it, or tokens are short.
  std::vector<std::string> warnings() const;

 private:
  explicit TokenFile(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TokenSet> tokens_;
  bool is_public_ = false;
};

}  // namespace wallprof::serving

#endif  // WALLPROF_FLEET_SERVING_TOKENS_H_
