// A bearer token in a file of its own.
#ifndef WALLPROF_CLI_TOKEN_FILE_H_
#define WALLPROF_CLI_TOKEN_FILE_H_

#include <string>

namespace wallprof::cli {

// The token as it stands on the file's first line now; empty without one.
std::string ReadToken(const std::string& path);

// What is wrong with such a file; empty: nothing.
std::string CheckTokenFile(const std::string& path);

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_TOKEN_FILE_H_
