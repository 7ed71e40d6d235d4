// Makes profiles to add up, and adds them up in one of two ways:
//
//   pprof_merge make COUNT SAMPLES DIRECTORY
//   pprof_merge sum THREADS OUT IN...     straight from the bytes
//   pprof_merge merge OUT IN...           wallprof::Merge of decoded profiles
//
// bench/pprof_merge/run compares them.
#include "wallprof/pprof_merge.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "bench/pprof_merge/service_profiles.h"
#include "fleet/gzip/whole_gzip.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof {
namespace {

using Arguments = std::vector<std::string>;

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "pprof_merge: " << what << std::endl;
  std::exit(1);
}

void Require(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::string bytes(file ? static_cast<size_t>(file.tellg()) : 0, '\0');
  file.seekg(0);
  if (!file.read(bytes.data(), bytes.size())) Fail("cannot read " + path);
  return bytes;
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << bytes).flush()) Fail("cannot write " + path);
}

// Calls `run` on as many threads as there are numbers below `count`.
void OnThreads(int count, const std::function<void(int)>& run) {
  std::vector<std::thread> threads;
  for (int i = 1; i < count; ++i) threads.emplace_back(run, i);
  run(0);
  for (std::thread& thread : threads) thread.join();
}

void MakeProfiles(const Arguments& arguments) {
  const int count = std::stoi(arguments[0]);
  const int samples = std::stoi(arguments[1]);
  const int threads = static_cast<int>(std::thread::hardware_concurrency());
  OnThreads(threads, [&](int thread) {
    for (int i = thread; i < count; i += threads) {
      WriteFile(absl::StrCat(arguments[2], "/", i, ".pb.gz"),
                EncodePprof(ServiceProfile(i, samples)));
    }
  });
}

// Says how long it took since the last time.
void Lap(absl::string_view what) {
  static absl::Time last = absl::Now();
  const absl::Time now = absl::Now();
  std::printf("%.*s %.3f\n", static_cast<int>(what.size()), what.data(),
              absl::ToDoubleSeconds(now - last));
  last = now;
}

void SumFiles(const Arguments& arguments) {
  Lap("start");
  const int threads = std::stoi(arguments[0]);
  const size_t first = 2;
  const size_t count = arguments.size() - first;
  std::vector<PprofMerger> mergers(threads);
  OnThreads(threads, [&](int thread) {
    const size_t end = count * (thread + 1) / threads;
    std::string message;
    for (size_t i = count * thread / threads; i < end; ++i) {
      Require(fleet::UnpackWhole(ReadFile(arguments[first + i]),
                                 kMaxDecodedBytes, message));
      Require(mergers[thread].Add(message));
    }
  });
  Lap("add");
  for (int i = 1; i < threads; ++i) Require(mergers[0].Add(mergers[i]));
  Lap("combine");
  absl::StatusOr<std::string> message = std::move(mergers[0]).FinishMessage();
  Require(message.status());
  Lap("write");
  WriteFile(arguments[1], fleet::PackWhole(*message));
  Lap("pack");
}

void MergeFiles(const Arguments& arguments) {
  std::vector<Profile> profiles;
  for (size_t i = 1; i < arguments.size(); ++i) {
    absl::StatusOr<Profile> profile = DecodePprof(ReadFile(arguments[i]));
    Require(profile.status());
    profiles.push_back(*std::move(profile));
  }
  absl::StatusOr<Profile> merged = Merge(profiles);
  Require(merged.status());
  WriteFile(arguments[0], EncodePprof(*merged));
}

void Main(const Arguments& arguments) {
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "make" && rest.size() == 3) return MakeProfiles(rest);
  if (arguments[0] == "sum" && rest.size() > 2) return SumFiles(rest);
  if (arguments[0] == "merge" && rest.size() > 1) return MergeFiles(rest);
  Fail("see the first lines of its source");
}

}  // namespace
}  // namespace wallprof

int main(int argc, char** argv) {
  if (argc < 2) wallprof::Fail("make, sum or merge?");
  wallprof::Main({argv + 1, argv + argc});
  return 0;
}
