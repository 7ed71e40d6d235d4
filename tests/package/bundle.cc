// A program that profiles itself into a bundle: exits 0 if it got one.
#include <wallprof/bundle.h>
#include <wallprof/bundle_schedule.h>
#include <wallprof/variables.h>

#include <iostream>

int main() {
  auto profiler = wallprof::Profiler::Start();
  if (!profiler.ok()) {
    std::cerr << profiler.status() << '\n';
    return 1;
  }
  wallprof::Counter counter("bundles");
  auto report =
      wallprof::WriteBundle(**profiler, {}, [&counter](std::string_view bytes) {
        counter.Add(static_cast<int64_t>(bytes.size()));
        return absl::OkStatus();
      });
  return report.ok() && counter.value() == report->bytes ? 0 : 1;
}
