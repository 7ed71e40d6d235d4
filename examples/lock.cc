// A program that is slow without computing: four workers serve requests, and
// each request rereads its settings from a slow disk while it holds the lock
// that all of them need.
//
//   wallprof run -o lock.pb.gz -- lock [SECONDS]
//
// docs/comparing.md looks at it with a CPU profile and with a wall profile.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWorkers = 4;

std::mutex settings_mutex;

// Stands for a disk that takes its time.
void ReadFromDisk() {
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

__attribute__((noinline)) void RereadSettings() {
  std::lock_guard<std::mutex> lock(settings_mutex);
  ReadFromDisk();
}

__attribute__((noinline)) unsigned Compute(unsigned seed) {
  for (int i = 0; i < 100'000; ++i) seed = seed * 1664525 + 1013904223;
  return seed;
}

__attribute__((noinline)) unsigned HandleRequest(unsigned seed) {
  RereadSettings();
  return Compute(seed);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(
                         std::chrono::duration<double>(seconds));
  std::vector<int> requests(kWorkers);
  std::vector<unsigned> results(kWorkers);
  std::vector<std::thread> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&, i] {
      for (; Clock::now() < end; ++requests[i]) {
        results[i] = HandleRequest(results[i]);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  int served = 0;
  for (int count : requests) served += count;
  std::cout << served << " requests in " << seconds << " s" << std::endl;
}
