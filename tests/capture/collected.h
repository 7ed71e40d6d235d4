// Questions to a profile that was collected of this process.
#ifndef WALLPROF_TESTS_CAPTURE_COLLECTED_H_
#define WALLPROF_TESTS_CAPTURE_COLLECTED_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "wallprof/profile.h"
#include "wallprof/profiler.h"

namespace wallprof::capture {

// A sample with names for what it has.
struct NamedSample {
  std::vector<std::string> stack;  // root first
  std::vector<Label> labels;
  int64_t samples = 0;
  int64_t cpu_ns = 0;
  int64_t wall_ns = 0;

  // The label's text, or its number; empty if there is none.
  std::string label(const std::string& key) const;
  // Whether a frame's name contains `part`.
  bool has(const std::string& part) const;
};

// A profile that must have passed CheckValid.
class Collected {
 public:
  explicit Collected(const Profile& profile);

  const std::vector<NamedSample>& samples() const { return samples_; }

  using Filter = std::function<bool(const NamedSample&)>;
  // The sum of the samples that pass; nothing but the values is set.
  NamedSample Sum(const Filter& filter) const;

  static Filter Thread(const std::string& name);
  static Filter Frame(const std::string& part);
  static Filter All();

  // One line a sample, for failure messages.
  std::string Text() const;

 private:
  std::vector<NamedSample> samples_;
};

// A running profiler, and what it collects; failures abort the test.
class Profiling {
 public:
  explicit Profiling(const Options& options = {});
  Profiler& operator*() { return *profiler_; }
  Profiler* operator->() { return profiler_.get(); }
  const Profiler* operator->() const { return profiler_.get(); }
  Collected Collect(absl::Duration duration, const CollectOptions& how = {});
  void Stop() { profiler_.reset(); }

 private:
  std::unique_ptr<Profiler> profiler_;
};

// Names the calling thread; at most 15 bytes.
void NameThread(const std::string& name);

// Uses CPU time until `done()`; has a frame of its own.
void Compute(const std::function<bool()>& done);

// Runs `body` in a forked child and returns its exit status; -1 where a signal
// ended it, as after a minute.
int StatusOfChild(const std::function<int()>& body);

}  // namespace wallprof::capture

#endif  // WALLPROF_TESTS_CAPTURE_COLLECTED_H_
