#include "fleet/agent/taking.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "fleet/agent/log_line.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof::agent {
namespace {

constexpr char kLockWaits[] = "lockwait";
constexpr char kLockWaitsThread[] = "wallprof-locks";

}  // namespace

std::string NewParcelId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(),
                         random());
}

// Waits for locks, measured beside the other.
struct Taking::Waits {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<absl::StatusOr<Profile>> profile;

  void Set(absl::StatusOr<Profile> measured) {
    std::lock_guard lock(mutex);
    profile = std::move(measured);
    changed.notify_all();
  }

  absl::StatusOr<Profile> Get() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return profile.has_value(); });
    return *std::move(profile);
  }
};

Taking::Taking(const AgentOptions& options, AgentLabels labels,
               Profiler& profiler, const Stop& stop, Tally& tally)
    : options_(options),
      labels_(std::move(labels)),
      profiler_(profiler),
      stop_(stop),
      tally_(tally) {}

absl::StatusOr<Profile> Taking::Measure(View view) {
  CollectOptions how;
  how.view = view;
  how.enough = [this] { return stop_.raised(); };
  return profiler_.Collect(options_.window, how);
}

void Taking::StartWaits(Waits& waits) {
  const absl::Status started = profiler_.RunPrivately(
      kLockWaitsThread,
      [this, &waits] { waits.Set(Measure(View::kBlockedBy)); });
  if (!started.ok()) waits.Set(started);
}

void Taking::TakeAll(const Use& use) {
  Waits waits;
  if (options_.lock_waits) StartWaits(waits);
  if (options_.wall || options_.cpu || options_.offcpu) {
    const absl::StatusOr<Profile> profile = Measure(View::kWall);
    if (profile.ok()) {
      TakeViews(*profile, use);
    } else {
      Failed("wall", profile.status());
    }
  }
  if (options_.lock_waits) Give(kLockWaits, waits.Get(), use);
  for (const AgentSource& source : options_.sources) {
    if (!stop_.raised()) TakeSource(source, use);
  }
}

void Taking::TakeViews(const Profile& profile, const Use& use) {
  if (options_.wall) Give("wall", profile, use);
  if (options_.cpu) Give("cpu", SelectView(profile, View::kCpu), use);
  if (options_.offcpu) Give("offcpu", SelectView(profile, View::kOffCpu), use);
}

void Taking::Give(const std::string& type, absl::StatusOr<Profile> profile,
                  const Use& use) {
  if (!profile.ok()) return Failed(type, profile.status());
  if (profile->samples.empty()) {
    tally_.Update([](AgentStatistics& s) {
      ++s.taken;
      ++s.lost.empty;
    });
    return;
  }
  tally_.Update([](AgentStatistics& s) { ++s.taken; });
  use({NewParcelId(), options_.service, type, labels_, profile->time,
       EncodePprof(*profile)});
}

void Taking::TakeSource(const AgentSource& source, const Use& use) {
  const absl::Time now = absl::Now();
  absl::StatusOr<std::string> body = source.take();
  if (!body.ok()) return Failed(source.type, body.status());
  tally_.Update([](AgentStatistics& s) { ++s.taken; });
  AgentLabels labels = labels_;
  labels.insert(labels.end(), source.labels.begin(), source.labels.end());
  use({NewParcelId(), options_.service, source.type, std::move(labels), now,
       *std::move(body)});
}

void Taking::Failed(const std::string& type, const absl::Status& status) {
  tally_.Update([](AgentStatistics& s) {
    ++s.taken;
    ++s.lost.failed;
  });
  LogLine("not_taken")
      .Add("type", type)
      .Add("error", std::string(status.message()))
      .To(options_.log);
}

}  // namespace wallprof::agent
