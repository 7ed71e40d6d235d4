// What a bundle costs a program of ten thousand distinct stacks that puts a
// hundred sources of its own into it: memory at its peak, time, CPU time, size.
//
//   bench/bundle [STACKS [SOURCES]]
//
// Each bundle is written to nowhere, so that what is counted is its making.
#include "wallprof/bundle.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

constexpr uint32_t kThreads = 20;
constexpr int kDepth = 45;
constexpr size_t kSourceBytes = 64 << 10;
constexpr double kMiB = 1 << 20;

// Long enough for a look or more at 999 Hz.
constexpr timespec kNap = {0, 4'000'000};

void Left(uint32_t path, int depth);

// Calls one of two by each bit of `path`: a stack for each number.
__attribute__((noinline)) void Right(uint32_t path, int depth) {
  if (depth == 0) {
    nanosleep(&kNap, nullptr);
  } else {
    (path & 1) != 0 ? Right(path >> 1, depth - 1) : Left(path >> 1, depth - 1);
  }
  asm volatile("nop");  // no tail call, and not the same code as the other's
}

__attribute__((noinline)) void Left(uint32_t path, int depth) {
  if (depth == 0) {
    nanosleep(&kNap, nullptr);
  } else {
    (path & 1) != 0 ? Right(path >> 1, depth - 1) : Left(path >> 1, depth - 1);
  }
  asm volatile("" ::: "memory");
}

void PassThrough(uint32_t stacks) {
  std::vector<std::thread> threads;
  for (uint32_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([thread, stacks] {
      for (uint32_t path = thread; path < stacks; path += kThreads) {
        Left(path, kDepth);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A line of /proc/self/status, in MiB.
double StatusMiB(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.compare(0, name.size(), name) == 0) {
      return atof(line.c_str() + name.size() + 1) / 1024;
    }
  }
  return 0;
}

absl::Duration CpuTime() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return absl::DurationFromTimespec(now);
}

void Measure(Profiler& profiler, const BundleOptions& options,
             const char* what) {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;  // VmHWM begins anew
  const double before = StatusMiB("VmRSS");
  const absl::Duration cpu_before = CpuTime();
  const absl::Time began = absl::Now();
  size_t largest = 0;
  const auto report =
      WriteBundle(profiler, options, [&largest](std::string_view bytes) {
        largest = std::max(largest, bytes.size());
        return absl::OkStatus();
      });
  if (!report.ok()) {
    fprintf(stderr, "%s\n", report.status().ToString().c_str());
    exit(1);
  }
  const absl::Duration took = absl::Now() - began - options.profile;
  printf("%-26s %6.2f MiB  %7.1f ms  %7.1f ms  %6.2f MiB  %6.2f MiB\n", what,
         report->bytes / kMiB, absl::ToDoubleMilliseconds(took),
         absl::ToDoubleMilliseconds(CpuTime() - cpu_before), largest / kMiB,
         StatusMiB("VmHWM") - before);
  for (const BundlePart& part : report->parts) {
    if (part.name.compare(0, 7, "custom/") != 0) {
      printf("    %-22s %6.2f MiB  %7.1f ms  %7.1f ms  %s\n", part.name.c_str(),
             part.bytes / kMiB, absl::ToDoubleMilliseconds(part.took),
             absl::ToDoubleMilliseconds(part.cpu), part.why.c_str());
    }
  }
}

int Main(uint32_t stacks, uint32_t sources) {
  Options profiling;
  profiling.frequency_hz = 999;
  auto profiler = Profiler::Start(profiling);
  if (!profiler.ok()) {
    fprintf(stderr, "%s\n", profiler.status().ToString().c_str());
    return 1;
  }
  PassThrough(stacks);
  const auto all = (*profiler)->Snapshot();
  printf("%zu samples of %u stacks, %d frames deep; %u sources of %zu KiB\n\n",
         all.ok() ? all->samples.size() : 0, stacks, kDepth, sources,
         kSourceBytes >> 10);
  printf("%-26s %10s  %10s  %10s  %10s  %10s\n", "", "size", "time", "CPU",
         "largest", "peak memory");
  BundleOptions options;
  Measure(**profiler, options, "at once");
  for (uint32_t i = 0; i < sources; ++i) {
    options.sources.push_back(
        {"source " + std::to_string(i), [](const BundleSink& sink) {
           return sink(std::string(kSourceBytes, 'x'));
         }});
  }
  Measure(**profiler, options, "at once, with sources");
  options.profile = absl::Seconds(2);
  std::thread again([stacks] { PassThrough(stacks); });
  Measure(**profiler, options, "measured, with sources");
  again.join();
  return 0;
}

}  // namespace
}  // namespace wallprof

int main(int argc, char** argv) {
  return wallprof::Main(argc > 1 ? atoi(argv[1]) : 10'000,
                        argc > 2 ? atoi(argv[2]) : 100);
}
