#include "fleet/agent/taking.h"

#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "fleet/log/log_line.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof::agent {
namespace {

struct NamedView {
  const char* type;
  View view;
};

// What is wanted of each window.
std::vector<NamedView> ViewsOf(const AgentOptions& options) {
  std::vector<NamedView> views;
  if (options.wall) views.push_back({"wall", View::kWall});
  if (options.cpu) views.push_back({"cpu", View::kCpu});
  if (options.offcpu) views.push_back({"offcpu", View::kOffCpu});
  if (options.lock_waits) views.push_back({"lockwait", View::kBlockedBy});
  return views;
}

}  // namespace

std::string NewParcelId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(),
                         random());
}

Taking::Taking(const AgentOptions& options, AgentLabels labels,
               Profiler& profiler, const Stop& stop, Tally& tally)
    : options_(options),
      labels_(std::move(labels)),
      profiler_(profiler),
      stop_(stop),
      tally_(tally) {}

void Taking::TakeAll(const Use& use) {
  const std::vector<NamedView> named = ViewsOf(options_);
  if (!named.empty()) {
    std::vector<View> views;
    for (const NamedView& one : named) views.push_back(one.view);
    CollectOptions how;
    how.enough = [this] { return stop_.raised(); };
    std::vector<absl::StatusOr<Profile>> profiles =
        profiler_.CollectViews(options_.window, views, how);
    for (size_t i = 0; i < profiles.size(); ++i) {
      Give(named[i].type, std::move(profiles[i]), use);
    }
  }
  for (const AgentSource& source : options_.sources) {
    if (!stop_.raised()) TakeSource(source, use);
  }
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
  fleet::LogLine("not_taken")
      .Add("type", type)
      .Add("error", std::string(status.message()))
      .To(options_.log);
}

}  // namespace wallprof::agent
