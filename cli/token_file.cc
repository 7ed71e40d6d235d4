#include "cli/token_file.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace wallprof::cli {

std::string ReadToken(const std::string& path) {
  std::ifstream file(path);
  std::string token;
  std::getline(file, token);
  absl::StripAsciiWhitespace(&token);
  return token;
}

std::string CheckTokenFile(const std::string& path) {
  const std::string token = ReadToken(path);
  return !token.empty() && std::all_of(token.begin(), token.end(),
                                       [](unsigned char c) {
                                         return absl::ascii_isgraph(c);
                                       })
             ? ""
             : absl::StrCat(path, " has no token on its first line");
}

}  // namespace wallprof::cli
