// Profiles a part of a program and writes what it finds to a file:
//
//   write_file [FILE]    profile.pb.gz by default; .folded and others by suffix
//   go tool pprof -top profile.pb.gz
#include <wallprof/formats.h>
#include <wallprof/profiler.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

// What is to be looked at: some computing, some waiting.
__attribute__((noinline)) void serveRequests(const std::atomic<bool>& stop) {
  while (!stop) {
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
    while (std::chrono::steady_clock::now() < end) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
  }
}

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "profile.pb.gz";
  auto profiler = wallprof::Profiler::Start();
  if (!profiler.ok()) {
    std::cerr << profiler.status() << '\n';
    return 1;
  }
  std::atomic<bool> stop = false;
  std::thread worker([&stop] { serveRequests(stop); });
  auto profile = (*profiler)->Collect(absl::Seconds(2));
  stop = true;
  worker.join();
  if (!profile.ok()) {
    std::cerr << profile.status() << '\n';
    return 1;
  }
  const absl::Status written = wallprof::WriteFile(*profile, path);
  if (!written.ok()) {
    std::cerr << written << '\n';
    return 1;
  }
  std::cout << "wrote " << path << '\n';
}
