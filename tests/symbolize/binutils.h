// What binutils says about a file: the second opinion in these tests.
#ifndef WALLPROF_TESTS_SYMBOLIZE_BINUTILS_H_
#define WALLPROF_TESTS_SYMBOLIZE_BINUTILS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace wallprof::symbolize {

// Standard output of a shell command. Throws if it fails.
std::string OutputOf(const std::string& command);

std::vector<std::string> LinesOf(const std::string& text);

// A line of nm.
struct NmSymbol {
  uint64_t address = 0;
  uint64_t size = 0;
  char kind = '?';
  std::string name;  // as in the file
};

// The symbols of `path` that have an address, by address.
std::vector<NmSymbol> Nm(const std::string& path,
                         const std::string& flags = "");

// The address before relocation of the symbol `name`. Throws if there is none.
uint64_t NmAddress(const std::string& path, const std::string& name);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_TESTS_SYMBOLIZE_BINUTILS_H_
