// Whatever names and bytes a program gives, its bundle is a zip that has them
// all, under names that lead nowhere else. For libFuzzer
// (WALLPROF_BUILD_FUZZERS) and, over the corpus alone, for names_test.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "fleet/bundle/escape.h"
#include "fleet/bundle/zip_writer.h"
#include "tests/fleet/bundle/zip_reader.h"

namespace wallprof::bundle {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

std::string Unescape(std::string_view escaped) {
  std::string name;
  for (size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '%') {
      name += escaped[i];
      continue;
    }
    Require(i + 2 < escaped.size(), "two digits follow a per cent sign");
    name += absl::HexStringToBytes(absl::string_view(&escaped[i + 1], 2));
    i += 2;
  }
  return name;
}

bool IsOnePart(std::string_view path) {
  return path != "." && path != ".." &&
         path.find('/') == std::string_view::npos &&
         path.find('\\') == std::string_view::npos &&
         path.find('\0') == std::string_view::npos;
}

void CheckName(std::string_view name) {
  const std::string escaped = PathEscape(name);
  Require(IsOnePart(escaped), "an escaped name is one part of a path");
  Require(Unescape(escaped) == name, "it can be unescaped");
  const std::string file = FileNameEscape(name);
  Require(IsOnePart(file), "a file's name is one part of a path");
  Require(!file.empty() && file.size() <= 200, "it fits a file's name");
  Unescape(file);
}

void CheckZip(const std::vector<std::string_view>& names) {
  std::string bytes;
  const BundleSink sink = [&bytes](std::string_view more) {
    bytes.append(more);
    return absl::OkStatus();
  };
  ZipWriter zip(sink);
  for (const std::string_view name : names) {
    Require(zip.Add(PathEscape(name), name).ok(), "it is added");
  }
  Require(zip.FinishLastFirst().ok(), "it is finished");
  std::string problem;
  const Entries entries = ReadZip(bytes, problem);
  Require(problem.empty(), problem.c_str());
  Require(entries.size() == names.size(), "all entries are there");
  for (size_t i = 0; i < entries.size(); ++i) {
    // The last is listed first.
    const std::string_view name = names[(i + names.size() - 1) % names.size()];
    Require(Unescape(entries[i].first) == name, "its name is its own");
    Require(entries[i].second == name, "its bytes are its own");
  }
}

}  // namespace
}  // namespace wallprof::bundle

// Each line is a name, and its own content.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> names;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    names.push_back(rest.substr(0, end));
    wallprof::bundle::CheckName(names.back());
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!names.empty()) wallprof::bundle::CheckZip(names);
  return 0;
}
