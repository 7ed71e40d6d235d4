#include "tests/http/fake_source.h"

namespace wallprof::http {

namespace {

// How often a real measurement asks, or a little oftener.
constexpr std::chrono::milliseconds kCancelCheck{10};

}  // namespace

Profile SmallProfile() {
  Profile profile;
  profile.sample_types = {
      {"samples", "count"}, {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}};
  profile.default_sample_type = "wall";
  profile.period_type = {"wall", "nanoseconds"};
  profile.period = 10101010;
  profile.time = absl::FromUnixSeconds(1700000000);
  profile.duration = absl::Milliseconds(5);
  Mapping mapping;
  mapping.id = 1;
  mapping.start = 0x400000;
  mapping.limit = 0x500000;
  mapping.filename = "/bin/demo";
  mapping.has_functions = true;
  profile.mappings = {mapping};
  uint64_t id = 0;
  for (const char* name : {"main", "work()", "nap()"}) {
    ++id;
    Function function;
    function.id = id;
    function.name = name;
    function.system_name = name;
    function.filename = "/src/demo.cc";
    profile.functions.push_back(function);
    Location location;
    location.id = id;
    location.mapping_id = 1;
    location.address = 0x400000 + 16 * id;
    location.lines = {{id, static_cast<int64_t>(10 * id), 0}};
    profile.locations.push_back(location);
  }
  std::vector<Label> labels = {{"thread", "demo"}};
  profile.samples = {{{2, 1}, {3, 1000000, 3000000}, labels},
                     {{3, 1}, {2, 0, 2000000}, labels}};
  return profile;
}

void FakeSource::Hold() {
  std::lock_guard<std::mutex> lock(mutex_);
  holding_ = true;
}

void FakeSource::Release() {
  std::lock_guard<std::mutex> lock(mutex_);
  holding_ = false;
  changed_.notify_all();
}

void FakeSource::AwaitHeld(int count) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return held_ >= count; });
}

void FakeSource::AwaitCancelled(int count) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return cancelled_ >= count; });
}

absl::StatusOr<Profile> FakeSource::Collect(absl::Duration duration,
                                            const CollectOptions& options) {
  std::unique_lock<std::mutex> lock(mutex_);
  ++collects_;
  last_duration_ = duration;
  last_frequency_hz_ = options.frequency_hz;
  last_detail_ = options.detail;
  ++held_;
  changed_.notify_all();
  absl::StatusOr<Profile> answer = result;
  while (holding_) {
    changed_.wait_for(lock, kCancelCheck);
    if (options.cancelled && options.cancelled()) {
      ++cancelled_;
      answer = absl::CancelledError("cancelled");
      break;
    }
  }
  --held_;
  changed_.notify_all();
  return answer;
}

absl::StatusOr<Profile> FakeSource::Past(absl::Time from, absl::Time to,
                                         const PastOptions& options) {
  last_past = options;
  last_from = from;
  last_to = to;
  return past;
}

int FakeSource::collects() {
  std::lock_guard<std::mutex> lock(mutex_);
  return collects_;
}

absl::Duration FakeSource::last_duration() {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_duration_;
}

int FakeSource::last_frequency_hz() {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_frequency_hz_;
}

bool FakeSource::last_detail() {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_detail_;
}

}  // namespace wallprof::http
