// What a measurement in detail costs beside one without: of the sampler, and of
// the thread that measures and looks up names.
//
//   bench/wait_detail [SECONDS]
//
// Threads wait for a socket each, ten milliseconds at a time: so each wait is
// looked at, and is another one at each look-up of names.
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "profiler/threads/clock.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

std::atomic<bool> g_stop{false};

void WaitForNothing() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) abort();
  const timeval soon{0, 10'000};
  setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
  char byte;
  while (!g_stop) {
    if (recv(ends[0], &byte, 1, 0) >= 0) abort();
  }
  close(ends[0]);
  close(ends[1]);
}

// The share of samples' time that has a name, in per cent.
double Named(const Profile& profile) {
  double all = 0;
  double named = 0;
  for (const Sample& sample : profile.samples) {
    bool waits = false;
    bool has_name = false;
    for (const Label& label : sample.labels) {
      waits = waits || (label.key == "wait" && label.text == "recvfrom");
      has_name = has_name || (label.key == "wait_kind" && label.text != "io");
    }
    if (!waits) continue;
    all += static_cast<double>(sample.values[2]);
    if (has_name) named += static_cast<double>(sample.values[2]);
  }
  return all > 0 ? 100 * named / all : 0;
}

void Measure(Profiler& profiler, absl::Duration duration, bool detail) {
  CollectOptions options;
  options.detail = detail;
  const absl::Duration sampler_before = profiler.Stats().cpu_time;
  const int64_t own_before = threads::NowNs(CLOCK_THREAD_CPUTIME_ID);
  // Names that a viewer sees are looked up too, once.
  const Profile profile = profiler.Collect(duration, options).value();
  const double own =
      static_cast<double>(threads::NowNs(CLOCK_THREAD_CPUTIME_ID) - own_before);
  const double sampler =
      absl::ToDoubleNanoseconds(profiler.Stats().cpu_time - sampler_before);
  const double percent = 100 / absl::ToDoubleNanoseconds(duration);
  std::printf(
      "  %-8s sampler %5.2f %%, measuring thread %5.2f %% of a core; %zu "
      "samples, %.1f %% of the waiting named\n",
      detail ? "detail" : "plain", sampler * percent, own * percent,
      profile.samples.size(), Named(profile));
}

void Run(int count, absl::Duration duration) {
  g_stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(WaitForNothing);
  const auto profiler = Profiler::Start().value();
  // The first measurement pays for symbols.
  profiler->Collect(absl::Milliseconds(500)).value();
  std::printf("%d threads:\n", count);
  for (const bool detail : {false, true, false, true}) {
    Measure(*profiler, duration, detail);
  }
  g_stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace wallprof

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 10;
  // Two descriptors a thread.
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  for (const int count : {10, 100, 400}) {
    wallprof::Run(count, absl::Seconds(std::max(seconds, 1)));
  }
}
