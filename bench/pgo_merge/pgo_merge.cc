// Makes staged profiles, and a base of them the way a worker does it:
//
//   pgo_merge make COUNT SAMPLES DIRECTORY
//   pgo_merge base THREADS OUT IN...
//   pgo_merge combine PARTS OUT IN...    of parts of different weights
//
// bench/pgo_merge/run compares it with `go tool pprof`.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "bench/pprof_merge/service_profiles.h"
#include "fleet/pgo/profile/accept.h"
#include "fleet/pgo/profile/combine.h"
#include "fleet/pgo/profile/part.h"
#include "fleet/pgo/profile/policy.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {
namespace {

using Arguments = std::vector<std::string>;

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "pgo_merge: " << what << std::endl;
  std::exit(1);
}

template <typename T>
T Required(absl::StatusOr<T> value) {
  if (!value.ok()) Fail(value.status().ToString());
  return *std::move(value);
}

void Require(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

void ReadFile(const std::string& path, std::string& bytes) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  bytes.resize(file ? static_cast<size_t>(file.tellg()) : 0);
  file.seekg(0);
  if (!file.read(bytes.data(), bytes.size())) Fail("cannot read " + path);
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
  std::atomic<int> next = 0;
  OnThreads(static_cast<int>(std::thread::hardware_concurrency()), [&](int) {
    for (int i = next++; i < count; i = next++) {
      const std::string sent = EncodePprof(ServiceProfile(i, samples));
      WriteFile(absl::StrCat(arguments[2], "/", i, ".pb.gz"),
                Required(AcceptProfile(sent, "")).bytes);
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

void MakeBase(const Arguments& arguments) {
  Lap("start");
  const int threads = std::stoi(arguments[0]);
  const Arguments paths(arguments.begin() + 2, arguments.end());
  std::vector<PartSum> sums(threads);
  std::atomic<size_t> next = 0;
  OnThreads(threads, [&](int thread) {
    std::string bytes;
    for (size_t i = next++; i < paths.size(); i = next++) {
      ReadFile(paths[i], bytes);
      const StagedProfile staged = Required(ReadStaged(bytes, absl::Now()));
      Require(sums[thread].Add(staged.message));
    }
  });
  Lap("add");
  for (int i = 1; i < threads; ++i) Require(sums[0].Add(sums[i]));
  Lap("combine");
  const std::string part = Required(std::move(sums[0]).Finish());
  Lap("write");
  const CombinedBase base = Required(CombineParts({{part, 1}}, "app", {}));
  Lap("base");
  WriteFile(arguments[1], base.bytes);
  fleet::LogLine line("base");
  base.quality.AddTo(line);
  std::printf("%s\n", line.text().c_str());
}

// What a worker does for each new version of a base where profiles age.
void CombineFiles(const Arguments& arguments) {
  const size_t count = std::stoul(arguments[0]);
  std::vector<PartSum> sums(count);
  std::string bytes;
  for (size_t i = 2; i < arguments.size(); ++i) {
    ReadFile(arguments[i], bytes);
    const StagedProfile staged = Required(ReadStaged(bytes, absl::Now()));
    Require(sums[i % count].Add(staged.message));
  }
  std::vector<std::string> written;
  for (PartSum& sum : sums) {
    written.push_back(Required(std::move(sum).Finish()));
  }
  std::vector<WeightedPart> parts;
  for (const std::string& part : written) {
    const double age = static_cast<double>(parts.size());
    parts.push_back({part, std::exp2(-age / kStretchesPerHalfLife)});
  }
  Lap("start");
  const CombinedBase base = Required(CombineParts(parts, "app", {}));
  Lap("combine");
  WriteFile(arguments[1], base.bytes);
}

void Main(const Arguments& arguments) {
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "make" && rest.size() == 3) return MakeProfiles(rest);
  if (arguments[0] == "base" && rest.size() > 2) return MakeBase(rest);
  if (arguments[0] == "combine" && rest.size() > 2) return CombineFiles(rest);
  Fail("see the first lines of its source");
}

}  // namespace
}  // namespace wallprof::pgo

int main(int argc, char** argv) {
  if (argc < 2) wallprof::pgo::Fail("make, base or combine?");
  wallprof::pgo::Main({argv + 1, argv + argc});
  return 0;
}
