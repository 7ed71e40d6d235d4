#include "tests/symbolize/binutils.h"

#include <cstdio>
#include <sstream>
#include <stdexcept>

namespace wallprof::symbolize {

std::string OutputOf(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) throw std::runtime_error(command);
  std::string output;
  char piece[4096];
  for (size_t got; (got = fread(piece, 1, sizeof piece, pipe)) > 0;) {
    output.append(piece, got);
  }
  if (pclose(pipe) != 0) throw std::runtime_error(command);
  return output;
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<NmSymbol> Nm(const std::string& path, const std::string& flags) {
  std::vector<NmSymbol> symbols;
  const std::string command =
      "nm --defined-only --numeric-sort --format=posix " + flags + " " + path;
  for (const std::string& line : LinesOf(OutputOf(command))) {
    NmSymbol symbol;
    std::istringstream words(line);
    words >> symbol.name >> symbol.kind >> std::hex >> symbol.address >>
        symbol.size;
    symbols.push_back(symbol);
  }
  return symbols;
}

uint64_t NmAddress(const std::string& path, const std::string& name) {
  for (const NmSymbol& symbol : Nm(path)) {
    if (symbol.name == name) return symbol.address;
  }
  throw std::runtime_error("no symbol " + name + " in " + path);
}

}  // namespace wallprof::symbolize
