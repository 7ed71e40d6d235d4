// A loop that takes exactly one sampling period: half computing, half asleep.
// A profiler that looks at fixed times sees always the same half of it. Times
// itself and ends like gprof's example, with a line `total NAME SECONDS SHARE`
// for each function.
//
//   period_loop [--listen ADDRESS] [--seconds N]
#include <time.h>
#include <wallprof/http.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kPeriodNs = kSecondNs / 99;

int64_t NowNs() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kSecondNs + time.tv_nsec;
}

}  // namespace

__attribute__((noinline)) void computingHalf(int64_t until_ns) {
  while (NowNs() < until_ns) {
    for (int i = 0; i < 500; ++i) asm volatile("");
  }
}

__attribute__((noinline)) void sleepingHalf(int64_t until_ns) {
  const timespec until = {static_cast<time_t>(until_ns / kSecondNs),
                          static_cast<long>(until_ns % kSecondNs)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr)) {
  }
}

int main(int argc, char** argv) {
  std::string listen = "127.0.0.1:6060";
  double seconds = 10;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--listen") == 0) {
      listen = argv[i + 1];
    } else if (strcmp(argv[i], "--seconds") == 0) {
      seconds = atof(argv[i + 1]);
    } else {
      std::cerr << "usage: period_loop [--listen ADDRESS] [--seconds N]\n";
      return 2;
    }
  }
  auto server = wallprof::Serve(listen);
  if (!server.ok()) {
    std::cerr << server.status() << '\n';
    return 1;
  }
  std::cout << "serving " << (*server)->url() << std::endl;

  double computing = 0, sleeping = 0;
  const int64_t start = NowNs();
  const int64_t end = start + static_cast<int64_t>(seconds * 1e9);
  int64_t begin = start;
  for (int64_t next = start + kPeriodNs; next < end; next += kPeriodNs) {
    computingHalf(next - kPeriodNs / 2);
    const int64_t middle = NowNs();
    sleepingHalf(next);
    const int64_t done = NowNs();
    computing += static_cast<double>(middle - begin) * 1e-9;
    sleeping += static_cast<double>(done - middle) * 1e-9;
    begin = done;
  }
  const double all = computing + sleeping;
  printf("total computingHalf %.6f %.4f\n", computing, computing / all);
  printf("total sleepingHalf %.6f %.4f\n", sleeping, sleeping / all);
}
