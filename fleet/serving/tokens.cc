#include "fleet/serving/tokens.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fleet/files/files.h"

namespace wallprof::serving {
namespace {

// Shorter ones can be guessed: 16 hexadecimal digits are 64 bits.
constexpr size_t kShort = 16;

constexpr absl::string_view kBearer = "Bearer ";
constexpr absl::string_view kBasic = "Basic ";

// The token in an Authorization header: a bearer's, or the password of a
// browser, which can ask its user for nothing else; whatever the user's name.
std::optional<std::string> TokenIn(absl::string_view authorization) {
  if (absl::StartsWithIgnoreCase(authorization, kBearer)) {
    return std::string(
        absl::StripAsciiWhitespace(authorization.substr(kBearer.size())));
  }
  std::string name_and_password;
  if (!absl::StartsWithIgnoreCase(authorization, kBasic) ||
      !absl::Base64Unescape(
          absl::StripAsciiWhitespace(authorization.substr(kBasic.size())),
          &name_and_password)) {
    return std::nullopt;
  }
  const size_t colon = name_and_password.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return name_and_password.substr(colon + 1);
}

// What RFC 6750 has a token made of.
bool IsTokenCharacter(unsigned char c) {
  return absl::ascii_isalnum(c) ||
         absl::string_view("-._~+/=").find(static_cast<char>(c)) !=
             absl::string_view::npos;
}

absl::Status BadLine(const std::string& path, int line,
                     absl::string_view what) {
  // The line is not shown: it may have a token in it.
  return absl::InvalidArgumentError(absl::StrCat(path, ":", line, ": ", what));
}

bool Reaches(Scope has, Scope needed) {
  return needed == Scope::kNone || has == Scope::kAdmin || has == needed;
}

}  // namespace

std::string_view NameOf(Scope scope) {
  switch (scope) {
    case Scope::kRead:
      return "read";
    case Scope::kWrite:
      return "write";
    case Scope::kAdmin:
      return "admin";
    case Scope::kNone:
      break;
  }
  return "none";
}

TokenSet::Digest TokenSet::DigestOf(std::string_view token) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         digest.data());
  return digest;
}

absl::StatusOr<TokenSet> TokenSet::Parse(std::string_view text,
                                         const std::string& path) {
  TokenSet set;
  int number = 0;
  for (absl::string_view line :
       absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (words.size() != 2) {
      return BadLine(path, number, "a line is a scope and a token: read TOKEN");
    }
    Scope scope = Scope::kNone;
    for (Scope known : {Scope::kRead, Scope::kWrite, Scope::kAdmin}) {
      const std::string_view name = NameOf(known);
      if (words[0] == absl::string_view(name.data(), name.size())) {
        scope = known;
      }
    }
    if (scope == Scope::kNone) {
      return BadLine(path, number, "the scope is none of read, write, admin");
    }
    const std::string_view token(words[1].data(), words[1].size());
    if (!std::all_of(token.begin(), token.end(), IsTokenCharacter)) {
      return BadLine(path, number,
                     "a token has letters, digits and -._~+/= only");
    }
    set.has_short_ |= token.size() < kShort;
    set.tokens_.push_back({DigestOf(token), scope});
  }
  if (set.tokens_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": there is no token in it, nobody could come in"));
  }
  return set;
}

TokenSet::Verdict TokenSet::Check(std::string_view authorization,
                                  Scope needed) const {
  if (needed == Scope::kNone) return Verdict::kAllowed;
  const std::optional<std::string> given =
      TokenIn({authorization.data(), authorization.size()});
  if (!given.has_value()) return Verdict::kMissing;
  const Digest digest = DigestOf(*given);
  bool is_known = false;
  bool reaches = false;
  for (const Token& token : tokens_) {
    const bool same =
        CRYPTO_memcmp(token.digest.data(), digest.data(), digest.size()) == 0;
    is_known |= same;
    reaches |= same && Reaches(token.scope, needed);
  }
  if (!is_known) return Verdict::kUnknown;
  return reaches ? Verdict::kAllowed : Verdict::kForbidden;
}

absl::StatusOr<std::unique_ptr<TokenFile>> TokenFile::Open(std::string path) {
  std::unique_ptr<TokenFile> file(new TokenFile(std::move(path)));
  if (absl::Status read = file->Reload(); !read.ok()) return read;
  return file;
}

absl::Status TokenFile::Reload() {
  const absl::StatusOr<std::string> text = fleet::ReadWhole(path_);
  if (!text.ok()) return text.status();
  absl::StatusOr<TokenSet> tokens = TokenSet::Parse(*text, path_);
  if (!tokens.ok()) return tokens.status();
  struct stat found = {};
  stat(path_.c_str(), &found);
  std::lock_guard<std::mutex> lock(mutex_);
  tokens_ = std::make_shared<const TokenSet>(*std::move(tokens));
  is_public_ = (found.st_mode & S_IROTH) != 0;
  return absl::OkStatus();
}

TokenSet::Verdict TokenFile::Check(std::string_view authorization,
                                   Scope needed) const {
  std::shared_ptr<const TokenSet> tokens;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tokens = tokens_;
  }
  return tokens->Check(authorization, needed);
}

std::vector<std::string> TokenFile::warnings() const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> sentences;
  if (is_public_) {
    sentences.push_back(absl::StrCat(path_, " can be read by everybody"));
  }
  if (tokens_->has_short()) {
    sentences.push_back(absl::StrCat(path_, " has a token of less than ",
                                     kShort,
                                     " characters, which can be guessed"));
  }
  return sentences;
}

}  // namespace wallprof::serving
