// Uses wallprof::profiler: profiles itself for a moment.
#include <wallprof/formats.h>
#include <wallprof/profiler.h>

#include <iostream>

int main() {
  const auto profiler = wallprof::Profiler::Start();
  if (!profiler.ok()) {
    std::cerr << profiler.status() << '\n';
    return 1;
  }
  const auto profile = (*profiler)->Collect(absl::Milliseconds(200));
  if (!profile.ok()) {
    std::cerr << profile.status() << '\n';
    return 1;
  }
  const std::string folded = wallprof::EncodeFolded(*profile);
  std::cout << folded;
  return folded.find("main") == std::string::npos ? 1 : 0;
}
