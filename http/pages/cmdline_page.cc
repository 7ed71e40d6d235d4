#include "http/pages/cmdline_page.h"

#include <fstream>
#include <iterator>

namespace wallprof::http {

std::string CommandLine() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

}  // namespace wallprof::http
