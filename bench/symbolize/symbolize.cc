// Answers and time of the symbolizer, beside addr2line and llvm-symbolizer, on
// the same addresses of given files.
//
//   symbolize [--addresses 5000] [--differences 5] [FILE...]
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "bench/symbolize/other_symbolizers.h"
#include "profiler/symbolize/elf_image.h"

namespace wallprof::symbolize {
namespace {

double Ms(absl::Duration time) { return absl::ToDoubleMilliseconds(time); }

int64_t DebugBytes(const std::string& path) {
  const auto image = ElfImage::Open(path);
  if (!image.ok()) return 0;
  int64_t bytes = 0;
  for (const ElfImage::Section& section : (*image)->sections()) {
    if (section.name.find("debug_") != std::string::npos) bytes += section.size;
  }
  return bytes;
}

// How often our answer differs from each of the others', and in what; and the
// answers that neither of them gives.
void PrintAgreement(const std::vector<uint64_t>& addresses,
                    const OwnAnswers& own, const Answers& addr2line,
                    const Answers& llvm, size_t shown) {
  if (addr2line.of.size() != addresses.size() ||
      llvm.of.size() != addresses.size()) {
    std::printf("  a tool is missing, or answered %zu and %zu addresses\n",
                addr2line.of.size(), llvm.of.size());
    return;
  }
  size_t of_addr2line[kDifferences] = {};
  size_t of_llvm[kDifferences] = {};
  size_t neither = 0;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const Difference a = DifferenceBetween(own.of[i], addr2line.of[i]);
    const Difference b = DifferenceBetween(own.of[i], llvm.of[i]);
    ++of_addr2line[static_cast<int>(a)];
    ++of_llvm[static_cast<int>(b)];
    if (a != Difference::kDifferent || b != Difference::kDifferent) continue;
    if (++neither > shown) continue;
    std::printf("  0x%lx\n   ours\n%s   addr2line\n%s   llvm-symbolizer\n%s",
                addresses[i], ToString(own.of[i]).c_str(),
                ToString(addr2line.of[i]).c_str(),
                ToString(llvm.of[i]).c_str());
  }
  for (int i = 0; i < kDifferences; ++i) {
    std::printf("  %-30s addr2line %6zu   llvm-symbolizer %6zu\n",
                NameOf(static_cast<Difference>(i)), of_addr2line[i],
                of_llvm[i]);
  }
  std::printf("  different from both %zu\n", neither);
}

void Measure(const std::string& path, size_t count, size_t shown) {
  const std::vector<uint64_t> addresses = SpreadAddresses(path, count);
  std::printf("%s: %.1f MB of debug information, %zu addresses\n", path.c_str(),
              static_cast<double>(DebugBytes(path)) / 1e6, addresses.size());
  const OwnAnswers own = AskWallprof(path, addresses, DebugPlaces());
  const Answers addr2line = AskAddr2line(path, addresses);
  const Answers llvm = AskLlvm(path, addresses);
  std::printf(
      "  first use %.0f ms, the same again %.1f ms, 100 others %.1f ms, peak "
      "%.1f MiB; addr2line %.0f ms, llvm-symbolizer %.0f ms\n",
      Ms(own.time), Ms(own.again), Ms(own.others),
      static_cast<double>(own.peak_bytes) / (1 << 20), Ms(addr2line.time),
      Ms(llvm.time));
  for (const std::string& comment : own.comments) {
    std::printf("  %s\n", comment.c_str());
  }
  PrintAgreement(addresses, own, addr2line, llvm, shown);
}

}  // namespace
}  // namespace wallprof::symbolize

int main(int argc, char** argv) {
  CLI::App app("Answers and time beside addr2line and llvm-symbolizer");
  size_t addresses = 5000;
  size_t differences = 5;
  std::vector<std::string> files;
  app.add_option("--addresses", addresses, "asked of each file");
  app.add_option("--differences", differences, "shown of each file");
  app.add_option("files", files, "with debug information; this one by default");
  CLI11_PARSE(app, argc, argv);
  if (files.empty()) {
    files.push_back(std::filesystem::read_symlink("/proc/self/exe"));
  }
  for (const std::string& file : files) {
    wallprof::symbolize::Measure(std::filesystem::canonical(file), addresses,
                                 differences);
  }
}
